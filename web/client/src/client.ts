/**
 * The program at one address. No address is compiled in, so builders and addresses are bound to a deployment's here:
 *
 *     const chorale = choraleAt(programAddress);
 *     const [thread] = await chorale.addresses.thread({ threadId });
 *     await chorale.instructions.castVote({ payer: signer, voter: signer, thread, message, approve: true });
 *
 * `protocol`, `treasury` and `vault` are derived where they are left out.
 */
import {
  isProgramError,
  type AccountMeta,
  type Address,
  type Instruction,
  type InstructionWithAccounts,
  type InstructionWithData,
  type ReadonlyUint8Array,
} from "@solana/kit";
import type { ChoraleError } from "./generated/errors/index.js";
import * as builders from "./generated/instructions/index.js";
import * as pdas from "./generated/pdas/index.js";
import type { ChoraleInstruction } from "./generated/programs/index.js";
import { readEvents, type EventsRead } from "./events.js";

export type ProgramInstruction = Instruction &
  InstructionWithData<ReadonlyUint8Array> &
  InstructionWithAccounts<readonly AccountMeta[]>;

type Derived = "protocol" | "treasury" | "vault";
type Given<Input> = Omit<Input, Derived> & Partial<Pick<Input, Derived & keyof Input>>;

export function choraleAt(programAddress: Address) {
  const config = { programAddress };
  const addresses = {
    protocol: () => pdas.findProtocolPda(config),
    treasury: () => pdas.findTreasuryPda(config),
    thread: (seeds: pdas.ThreadSeeds) => pdas.findThreadPda(seeds, config),
    vault: (seeds: pdas.VaultSeeds) => pdas.findVaultPda(seeds, config),
    message: (seeds: pdas.MessageSeeds) => pdas.findMessagePda(seeds, config),
  };

  const bound =
    <Input extends object>(build: (input: Input, config: { programAddress: Address }) => ProgramInstruction) =>
    async (input: Given<Input>): Promise<ProgramInstruction> => {
      const [protocol] = await addresses.protocol();
      const [treasury] = await addresses.treasury();
      const vault = "thread" in input ? { vault: (await addresses.vault({ thread: input.thread as Address }))[0] } : {};
      return build({ protocol, treasury, ...vault, ...input } as unknown as Input, config);
    };

  return {
    programAddress,
    addresses,
    instructions: {
      initialize: bound<builders.InitializeInput>(builders.getInitializeInstruction),
      configure: bound<builders.ConfigureInput>(builders.getConfigureInstruction),
      withdrawTreasury: bound<builders.WithdrawTreasuryInput>(builders.getWithdrawTreasuryInstruction),
      createThread: bound<builders.CreateThreadInput>(builders.getCreateThreadInstruction),
      postMessage: bound<builders.PostMessageInput>(builders.getPostMessageInstruction),
      submitMessage: bound<builders.SubmitMessageInput>(builders.getSubmitMessageInstruction),
      castVote: bound<builders.CastVoteInput>(builders.getCastVoteInstruction),
      resolve: bound<builders.ResolveInput>(builders.getResolveInstruction),
      expire: bound<builders.ExpireInput>(builders.getExpireInstruction),
      cancel: bound<builders.CancelInput>(builders.getCancelInstruction),
      refund: bound<builders.RefundInput>(builders.getRefundInstruction),
      claim: bound<builders.ClaimInput>(builders.getClaimInstruction),
      divest: bound<builders.DivestInput>(builders.getDivestInstruction),
      sweep: bound<builders.SweepInput>(builders.getSweepInstruction),
    } satisfies Record<Uncapitalize<keyof typeof ChoraleInstruction>, unknown>,
    /** The events that this program logged in a transaction. */
    readEvents: (logs: readonly string[]): EventsRead => readEvents(logs, programAddress),
    /** Whether a transaction failed with an error of this program, or with that one; a preflight's failure is its cause. */
    isError: (error: unknown, message: Parameters<typeof isProgramError>[1], code?: ChoraleError): boolean => {
      for (let inner = error; inner instanceof Error; inner = inner.cause) {
        if (isProgramError(inner, message, programAddress, code)) return true;
      }
      return false;
    },
  };
}
