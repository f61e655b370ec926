/** Chorale's on-chain program for @solana/kit: bound builders, decoders of accounts and events, a proof verifier. */
export { choraleAt, type ProgramInstruction } from "./client.js";
export { decodeEvent, readEvents, type ChoraleEvent, type EventsRead } from "./events.js";
export type { EventName, Events } from "./generated/events.js";
export * from "./generated/accounts/index.js";
export * from "./generated/types/index.js";
export {
  ChoraleAccount,
  ChoraleInstruction,
  identifyChoraleAccount,
  identifyChoraleInstruction,
  parseChoraleInstruction,
} from "./generated/programs/index.js";
export type * from "./generated/instructions/index.js";
export * from "./generated/errors/index.js";
export * as identity from "./identity.js";
export * from "./proof.js";
