/** Identities that the program derives from its signer, as 32 bytes. No dependencies. Malformed values throw. */
import { hashBytes, keyBytes, sha256, textBytes, u64Bytes, utf8 } from "./hashing.js";

/** A hash as 64 hex digits (the graph's notation) or as bytes (the chain's). */
export type Hash = string | Uint8Array;
export type Nonce = bigint | number | string;

/** Identity of the thread that `creator` (base58) makes with `nonce`. */
export async function threadId(creator: string, nonce: Nonce): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(utf8("chorale:thread:1"), known(keyBytes(creator), "key"), known(u64Bytes(nonce), "nonce"));
}

/** Hash of a message's exact UTF-8 bytes under its salt. */
export async function bodyHash(salt: Hash, body: string | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(utf8("chorale:body:1"), hash(salt), known(textBytes(body), "text"));
}

/** Hash of a title's exact UTF-8 bytes under its salt. */
export async function titleHash(salt: Hash, title: string | Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(utf8("chorale:title:1"), hash(salt), known(textBytes(title), "text"));
}

/** Identity of the message that `author` (base58) writes into a thread with `nonce`. */
export async function contentHash(
  thread: Hash,
  author: string,
  nonce: Nonce,
  body: Hash,
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = [known(keyBytes(author), "key"), known(u64Bytes(nonce), "nonce")];
  return sha256(utf8("chorale:message:1"), hash(thread), ...signed, hash(body));
}

const hash = (value: Hash): Uint8Array =>
  known(value instanceof Uint8Array && value.length === 32 ? value : hashBytes(value), "hash");

function known<Value>(value: Value | null, what: string): Value {
  if (value === null) throw new TypeError(`A ${what} is not in its canonical notation.`);
  return value;
}
