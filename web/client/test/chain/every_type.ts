/**
 * A thread's life through the generated client: every event type is made by a transaction of kit's, every account type
 * is read. Prints what was decoded, for the test that runs this to compare with what Python's clients decode.
 *
 * `RPC_URL`, `WS_URL`, `PROGRAM_ID` and `MINT` name the chain, `ADMIN`, `ADA`, `BEN` and `CAL` the secrets (hex) of wallets with
 * SOL and tokens, `…_TOKENS` their token accounts.
 */
import {
  address,
  AccountRole,
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  fetchEncodedAccount,
  getSignatureFromTransaction,
  getU64Encoder,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  type Address,
  type EncodedAccount,
  type Instruction,
  type KeyPairSigner,
  type Signature,
} from "@solana/kit";
import { strict as assert } from "node:assert";
import {
  CHORALE_ERROR__WINDOW_OPEN,
  ChoraleAccount,
  choraleAt,
  decodeMessage,
  decodeProtocol,
  decodeThread,
  fetchProtocol,
  fetchThread,
  getChoraleErrorMessage,
  identifyChoraleAccount,
  identity,
} from "../../src/index.js";
import { plain } from "../plain.js";

const TOKEN_PROGRAM = address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
const STAKE = 1_000_000n;
const FAR_FUTURE = 2n ** 62n;

const environment = (name: string): string => process.env[name] ?? assert.fail(`${name} is not set`);
const wallet = (name: string): Promise<KeyPairSigner> =>
  createKeyPairSignerFromPrivateKeyBytes(Buffer.from(environment(name), "hex"));

const rpc = createSolanaRpc(environment("RPC_URL"));
const rpcSubscriptions = createSolanaRpcSubscriptions(environment("WS_URL"));
const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions } as never);
const chorale = choraleAt(address(environment("PROGRAM_ID")));
const mint = address(environment("MINT"));
const [admin, ada, ben, cal] = await Promise.all([
  wallet("ADMIN"),
  wallet("ADA"),
  wallet("BEN"),
  wallet("CAL"),
] as const);
const tokensOf = (name: string): Address => address(environment(`${name}_TOKENS`));
const { addresses, instructions: build } = chorale;

const events: object[] = [];

async function compiled(payer: KeyPairSigner, ...parts: Instruction[]) {
  const { value: latest } = await rpc.getLatestBlockhash({ commitment: "confirmed" }).send();
  return pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(latest, message),
    (message) => appendTransactionMessageInstructions(parts, message),
  );
}

/** Sends, waits for `confirmed`, and reads the events from the transaction's log; their names. */
async function send(payer: KeyPairSigner, ...parts: Instruction[]): Promise<string[]> {
  const signed = await signTransactionMessageWithSigners(await compiled(payer, ...parts));
  await sendAndConfirm(signed as never, { commitment: "confirmed" });
  const signature: Signature = getSignatureFromTransaction(signed);
  const config = { commitment: "confirmed", encoding: "json", maxSupportedTransactionVersion: 0 } as const;
  const landed = await rpc.getTransaction(signature, config).send();
  const read = chorale.readEvents(landed?.meta?.logMessages ?? assert.fail(`${signature} has no log`));
  assert.ok(read.complete);
  events.push(...read.events.map((event) => ({ signature, name: event.name, data: plain(event.data) })));
  return read.events.map((event) => event.name);
}

// The protocol, set to what it is.
const protocol = await fetchProtocol(rpc, (await addresses.protocol())[0], { commitment: "confirmed" });
const { minimumStake, approvalWindow } = protocol.data;
const configure = await build.configure({
  admin,
  newAdmin: admin,
  minimumStake,
  approvalWindow,
  adminArg: admin.address,
});
assert.deepEqual(await send(admin, configure), ["Configured"]);

// A thread, and a post in it.
const nonce = 1n;
const threadId = await identity.threadId(ada.address, nonce);
const [thread] = await addresses.thread({ threadId });
const titleHash = await identity.titleHash("11".repeat(32), "A thread of kit's");
const create = await build.createThread({ payer: ada, creator: ada, thread, mint, nonce, titleHash });
assert.deepEqual(await send(ada, create), ["ThreadCreated"]);

let nonces = 0n;
async function written(author: KeyPairSigner) {
  nonces += 1n;
  const bodyHash = await identity.bodyHash("22".repeat(32), `Text ${nonces}`);
  const contentHash = await identity.contentHash(threadId, author.address, nonces, bodyHash);
  const [message] = await addresses.message({ thread, contentHash });
  return { nonce: nonces, bodyHash, message };
}

const post = await written(ada);
assert.deepEqual(await send(ada, await build.postMessage({ payer: ada, author: ada, thread, ...post })), [
  "MessagePosted",
]);

async function submitted(author: KeyPairSigner, source: Address): Promise<Address> {
  const parts = await written(author);
  const stake = { stake: STAKE, maxExpiresAt: FAR_FUTURE, source };
  const submit = await build.submitMessage({ payer: author, author, thread, ...parts, ...stake });
  assert.deepEqual(await send(author, submit), ["MessageSubmitted"]);
  return parts.message;
}

// One is denied, and the denier takes the stake.
const denied = await submitted(ben, tokensOf("BEN"));
const expire = await build.expire({ thread, message: denied });
const tooEarly = await compiled(ada, expire);
const refusal = await sendAndConfirm((await signTransactionMessageWithSigners(tooEarly)) as never, {
  commitment: "confirmed",
}).then(
  () => assert.fail("an open message cannot be expired"),
  (error: unknown) => error,
);
assert.ok(chorale.isError(refusal, tooEarly, CHORALE_ERROR__WINDOW_OPEN), String(refusal));
assert.match(getChoraleErrorMessage(CHORALE_ERROR__WINDOW_OPEN), /expiresAt/);
const deny = await build.castVote({ payer: ada, voter: ada, thread, message: denied, approve: false });
assert.deepEqual(await send(ada, deny), ["VoteCast", "MessageDecided"]);
const claim = await build.claim({ payee: ada, thread, message: denied, destination: tokensOf("ADA") });
assert.deepEqual(await send(ada, claim), ["EscrowClaimed"]);

// One is taken back, and anybody has its stake paid back.
const cancelled = await submitted(ben, tokensOf("BEN"));
assert.deepEqual(await send(ben, await build.cancel({ author: ben, thread, message: cancelled })), [
  "MessageCancelled",
]);
const refund = await build.refund({ payee: ben.address, thread, message: cancelled, destination: tokensOf("BEN") });
assert.deepEqual(await send(ada, refund), ["StakeRefunded"]);

// Of two by one author the second is published; when only its author is left, nobody can vote on the first.
const unvoted = await submitted(cal, tokensOf("CAL"));
const published = await submitted(cal, tokensOf("CAL"));
const approve = await build.castVote({ payer: ada, voter: ada, thread, message: published, approve: true });
assert.deepEqual(await send(ada, approve), ["VoteCast", "MessageDecided", "CoAuthorJoined"]);
const divest = await build.divest({ coAuthor: ada, thread, destination: tokensOf("ADA"), minPayout: STAKE / 2n });
assert.deepEqual(await send(ada, divest), ["CoAuthorLeft"]);
assert.deepEqual(await send(ben, await build.resolve({ payer: ben, thread, message: unvoted })), ["MessageExpired"]);

// What is sent to the vault unasked goes to the treasury, and the admin takes it out.
const [vault] = await addresses.vault({ thread });
const gift: Instruction = {
  programAddress: TOKEN_PROGRAM,
  accounts: [
    { address: tokensOf("ADA"), role: AccountRole.WRITABLE },
    { address: vault, role: AccountRole.WRITABLE },
    { address: ada.address, role: AccountRole.READONLY_SIGNER },
  ],
  data: Uint8Array.of(3, ...getU64Encoder().encode(5n)),
};
assert.deepEqual(await send(ada, gift, await build.sweep({ thread })), ["Swept"]);
const withdraw = await build.withdrawTreasury({ admin, destination: tokensOf("ADMIN"), amount: 5n });
assert.deepEqual(await send(admin, withdraw), ["TreasuryWithdrawn"]);

const after = await fetchThread(rpc, thread, { commitment: "confirmed" });
assert.deepEqual(
  after.data.coAuthors.map((seat) => seat.key),
  [cal.address],
);

const decoders: Record<ChoraleAccount, (encoded: EncodedAccount) => { data: object }> = {
  [ChoraleAccount.Protocol]: (encoded) => decodeProtocol(encoded),
  [ChoraleAccount.Thread]: (encoded) => decodeThread(encoded),
  [ChoraleAccount.Message]: (encoded) => decodeMessage(encoded),
};
const places = [protocol.address, thread, post.message, denied, cancelled, unvoted, published];
const accounts = await Promise.all(
  places.map(async (place) => {
    const encoded = await fetchEncodedAccount(rpc, place, { commitment: "confirmed" });
    assert.ok(encoded.exists);
    const type = identifyChoraleAccount(encoded);
    return { address: place, type: ChoraleAccount[type], data: plain(decoders[type](encoded).data) };
  }),
);
console.log(JSON.stringify({ accounts, events }));
process.exit(0);
