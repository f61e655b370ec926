/**
 * Checks that a text was published in a thread: content and Merkle path against the bytes of the thread's account.
 *
 * No dependencies but the platform's WebCrypto, which browsers have in secure contexts. `programs/proof.py` is the same
 * in Python; both are held to `tests/vectors/proofs.json`. What has to be trusted is the account alone: fetch it from a
 * node that you trust, with its owner and its address.
 */
import { hashBytes, keyBytes, same, sha256, textBytes, u64Bytes, utf8 } from "./hashing.js";

const DEPTH = 20;
const MAX_CO_AUTHORS = 64;
const DISCRIMINATOR = Uint8Array.of(186, 27, 154, 111, 51, 36, 159, 90);
const VERSION = 1;
const VERSION_AT = 8;
const BUMP_AT = 9;
const THREAD_ID_AT = 11;
const PUBLISHED_COUNT_AT = 163;
const CONTENT_ROOT_AT = 191;
const SEATS_AT = 927; // where their number stands; they follow
const SEAT_SIZE = 40;

/** Why a proof is refused: the first reason that was met. */
export type Refusal =
  /** A part of the content is absent or not in its canonical notation. */
  | "CONTENT_MALFORMED"
  /** A part of the proof is absent or not in its canonical notation. */
  | "PROOF_MALFORMED"
  /** The path does not have exactly 20 hashes. */
  | "PATH_LENGTH"
  /** A part of the account is absent or not in its canonical notation. */
  | "ACCOUNT_MALFORMED"
  /** The account belongs to another program. */
  | "OWNER"
  /** The account is cut, or longer than any thread's. */
  | "ACCOUNT_LENGTH"
  /** The account is no thread. */
  | "ACCOUNT_TYPE"
  /** The account's layout has a version that is not known here. */
  | "ACCOUNT_VERSION"
  /** The address is not that thread's, or the proof names another account. */
  | "ADDRESS"
  /** The account is another thread's than the content's. */
  | "THREAD"
  /** Body and salt do not hash to the `bodyHash` that the content names. */
  | "BODY_HASH"
  /** The content does not hash to the `contentHash` that it names. */
  | "CONTENT_HASH"
  /** The thread has not published so many messages. */
  | "LEAF_INDEX"
  /** The `leaf` that the proof names is not the content's. */
  | "LEAF"
  /** The path does not lead to the root. */
  | "ROOT"
  /** The path leads to the proof's root, and the account has another: read both again. */
  | "ANOTHER_VERSION";

export type Verdict = { readonly valid: true } | { readonly valid: false; readonly refusal: Refusal };

/** What was written: fields of `Message` and `Thread` in the graph. Hashes are 64 lower-case hex digits. */
export type Content = {
  readonly body: string | Uint8Array;
  readonly salt: string;
  readonly author: string;
  readonly nonce: bigint | number | string;
  readonly threadId: string;
  readonly bodyHash?: string | null;
  readonly contentHash?: string | null;
};

/** `Message.proof` in the graph; what it only names may be left out. */
export type ContentProof = {
  readonly leafIndex: number;
  readonly path: readonly string[];
  readonly leaf?: string | null;
  readonly root?: string | null;
  readonly account?: string | null;
};

/** The thread's account as a node gives it. */
export type ThreadBytes = { readonly address: string; readonly owner: string; readonly data: Uint8Array };

type Told = {
  text: Uint8Array;
  salt: Uint8Array;
  author: Uint8Array;
  nonce: Uint8Array;
  threadId: Uint8Array;
  named: (Uint8Array | null)[];
};
type Said = { threadId: Uint8Array; bodyHash: Uint8Array; contentHash: Uint8Array; named: (Uint8Array | null)[] };
type Shown = {
  leafIndex: number;
  path: Uint8Array[];
  leaf: Uint8Array | null;
  root: Uint8Array | null;
  account: Uint8Array | null;
};
type Held = { address: Uint8Array; owner: Uint8Array; data: Uint8Array };

class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal);
  }
}

/**
 * Whether `content` is a published message of the thread in `account`. Whatever it is given, it rejects only where the
 * platform has no WebCrypto: that says nothing about the content.
 */
export async function verifyProof(
  content: Content,
  proof: ContentProof,
  account: ThreadBytes,
  programAddress: string,
): Promise<Verdict> {
  try {
    const told = within("CONTENT_MALFORMED", () => readContent(content));
    const shown = within("PROOF_MALFORMED", () => readProof(proof));
    const held = within("ACCOUNT_MALFORMED", () => readAccount(account));
    const said = await hashed(told);
    checkAccount(held, programAddress);
    await checkIdentity(said, shown, held);
    await checkPath(said, shown, held);
    return { valid: true };
  } catch (error) {
    if (error instanceof Refused) return { valid: false, refusal: error.refusal };
    throw error;
  }
}

/** The account is a whole `Thread` of that program. */
function checkAccount({ owner, data }: Held, programAddress: unknown): void {
  const program = keyBytes(programAddress);
  demand(program !== null && same(owner, program), "OWNER");
  demand(data.length > SEATS_AT + 4, "ACCOUNT_LENGTH");
  demand(same(data.subarray(0, VERSION_AT), DISCRIMINATOR), "ACCOUNT_TYPE");
  demand(data[VERSION_AT] === VERSION, "ACCOUNT_VERSION");
  const taken = u32(data, SEATS_AT);
  const room = (data.length - SEATS_AT - 4) / SEAT_SIZE;
  demand(Number.isInteger(room) && taken >= 1 && taken <= room && room <= MAX_CO_AUTHORS, "ACCOUNT_LENGTH");
}

/** Account, proof and content are of one thread, and the content is what it names itself. */
async function checkIdentity(said: Said, shown: Shown, { address, owner, data }: Held): Promise<void> {
  const threadId = data.subarray(THREAD_ID_AT, THREAD_ID_AT + 32);
  const bump = data.subarray(BUMP_AT, BUMP_AT + 1);
  const derived = await sha256(utf8("thread"), threadId, bump, owner, utf8("ProgramDerivedAddress"));
  demand(same(address, derived) && agrees(shown.account, derived), "ADDRESS");
  demand(same(said.threadId, threadId), "THREAD");
  demand(agrees(said.named[0] ?? null, said.bodyHash), "BODY_HASH");
  demand(agrees(said.named[1] ?? null, said.contentHash), "CONTENT_HASH");
}

/** The content is the leaf of that number. */
async function checkPath(said: Said, shown: Shown, { data }: Held): Promise<void> {
  const publishedCount = u32(data, PUBLISHED_COUNT_AT);
  demand(shown.leafIndex < publishedCount && publishedCount <= 2 ** DEPTH, "LEAF_INDEX");
  let node = await sha256(Uint8Array.of(0), said.contentHash);
  demand(agrees(shown.leaf, node), "LEAF");
  for (const [level, sibling] of shown.path.entries()) {
    const pair = (shown.leafIndex >>> level) & 1 ? [sibling, node] : [node, sibling];
    node = await sha256(Uint8Array.of(1), ...pair);
  }
  demand(agrees(shown.root, node), "ROOT");
  const root = data.subarray(CONTENT_ROOT_AT, CONTENT_ROOT_AT + 32);
  demand(same(node, root), shown.root === null ? "ROOT" : "ANOTHER_VERSION");
}

async function hashed({ text, salt, author, nonce, threadId, named }: Told): Promise<Said> {
  const bodyHash = await sha256(utf8("chorale:body:1"), salt, text);
  const contentHash = await sha256(utf8("chorale:message:1"), threadId, author, nonce, bodyHash);
  return { threadId, bodyHash, contentHash, named };
}

function readContent(given: Content): Told {
  const { body, salt, author, nonce, threadId, bodyHash, contentHash } = given;
  return {
    text: Uint8Array.from(some(textBytes(body))),
    salt: some(hashBytes(salt)),
    author: some(keyBytes(author)),
    nonce: some(u64Bytes(nonce)),
    threadId: some(hashBytes(threadId)),
    named: [optional(hashBytes, bodyHash), optional(hashBytes, contentHash)],
  };
}

function readProof(given: ContentProof): Shown {
  const { leafIndex, path, leaf, root, account } = given;
  if (!Number.isInteger(leafIndex) || leafIndex < 0 || leafIndex >= 2 ** 32 || !Array.isArray(path))
    throw new TypeError();
  demand(path.length === DEPTH, "PATH_LENGTH");
  return {
    leafIndex,
    path: Array.from(path, (sibling) => some(hashBytes(sibling))),
    leaf: optional(hashBytes, leaf),
    root: optional(hashBytes, root),
    account: optional(keyBytes, account),
  };
}

function readAccount(given: ThreadBytes): Held {
  const { address, owner, data } = given;
  if (!(data instanceof Uint8Array)) throw new TypeError();
  // A copy: whoever holds the bytes could change them between two checks.
  return { address: some(keyBytes(address)), owner: some(keyBytes(owner)), data: Uint8Array.from(data) };
}

/** What `read` gives; whatever it throws, a hostile getter's error included, is that refusal. */
function within<Value>(refusal: Refusal, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(refusal);
  }
}

function demand(holds: boolean, refusal: Refusal): void {
  if (!holds) throw new Refused(refusal);
}

function some<Value>(value: Value | null): Value {
  if (value === null) throw new TypeError();
  return value;
}

const optional = (read: (value: unknown) => Uint8Array | null, value: unknown): Uint8Array | null =>
  value === null || value === undefined ? null : some(read(value));

const agrees = (named: Uint8Array | null, found: Uint8Array): boolean => named === null || same(named, found);

const u32 = (data: Uint8Array, at: number): number => new DataView(data.buffer, data.byteOffset).getUint32(at, true);
