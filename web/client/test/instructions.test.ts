/** Addresses and instructions are byte for byte those of the Python client. */
import { AccountRole, address, createNoopSigner } from "@solana/kit";
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  ChoraleInstruction,
  choraleAt,
  identifyChoraleInstruction,
  identity,
  parseChoraleInstruction,
  type ProgramInstruction,
} from "../src/index.js";

type Meta = { address: string; signer: boolean; writable: boolean };
type Vector = { name: string; accounts: Record<string, Meta>; args: Record<string, string | boolean>; data: string };
type Vectors = {
  programId: string;
  creator: string;
  author: string;
  nonce: string;
  bodyHash: string;
  threadId: string;
  contentHash: string;
  addresses: Record<string, string>;
  instructions: Vector[];
};

const vectors = JSON.parse(
  readFileSync(new URL("../../../../tests/vectors/instructions.json", import.meta.url), "utf8"),
) as Vectors;
const chorale = choraleAt(address(vectors.programId));
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const DERIVED = new Set(["protocol", "treasury", "vault", "tokenProgram", "systemProgram"]);

/** What the builder takes: signers, keys, bytes and numbers; what it derives is left out. */
function inputOf({ accounts, args }: Vector): object {
  const keys = Object.entries(accounts)
    .filter(([name]) => !DERIVED.has(name))
    .map(([name, { address: key, signer }]) => [name, signer ? createNoopSigner(address(key)) : address(key)]);
  const values = Object.entries(args).map(([name, value]) => {
    if (name in accounts) return [`${name}Arg`, value]; // configure's admin is an account and an argument
    if (typeof value === "boolean") return [name, value];
    return [name, /^[0-9]{1,20}$/.test(value) ? BigInt(value) : bytes(value)];
  });
  return Object.fromEntries([...keys, ...values]);
}

const ROLES = {
  none: AccountRole.READONLY,
  signer: AccountRole.READONLY_SIGNER,
  writable: AccountRole.WRITABLE,
  both: AccountRole.WRITABLE_SIGNER,
};
const roleOf = ({ signer, writable }: Meta): AccountRole =>
  signer && writable ? ROLES.both : signer ? ROLES.signer : writable ? ROLES.writable : ROLES.none;

test("every instruction has the accounts, in order and with their flags, and the data that Python's has", async () => {
  for (const vector of vectors.instructions) {
    const build = chorale.instructions[vector.name as keyof typeof chorale.instructions] as (
      input: object,
    ) => Promise<ProgramInstruction>;
    const built = await build(inputOf(vector));
    assert.equal(built.programAddress, vectors.programId);
    assert.equal(Buffer.from(built.data).toString("hex"), vector.data, vector.name);
    const metas = built.accounts.map(({ address: key, role }) => ({ address: key, role }));
    const expected = Object.values(vector.accounts).map((meta) => ({ address: meta.address, role: roleOf(meta) }));
    assert.deepEqual(metas, expected, vector.name);
    const parsed = parseChoraleInstruction(built);
    assert.deepEqual(Object.keys(parsed.accounts), Object.keys(vector.accounts));
    assert.equal(ChoraleInstruction[identifyChoraleInstruction(built)].toLowerCase(), vector.name.toLowerCase());
  }
  assert.deepEqual(
    vectors.instructions.map(({ name }) => name),
    Object.keys(chorale.instructions),
  );
});

test("identities and addresses are Python's", async () => {
  const { creator, author, nonce, bodyHash, threadId, contentHash, addresses } = vectors;
  assert.deepEqual(await identity.threadId(creator, nonce), bytes(threadId));
  assert.deepEqual(await identity.contentHash(threadId, author, BigInt(nonce), bytes(bodyHash)), bytes(contentHash));
  const [thread] = await chorale.addresses.thread({ threadId: bytes(threadId) });
  const found = {
    protocol: await chorale.addresses.protocol(),
    treasury: await chorale.addresses.treasury(),
    thread: await chorale.addresses.thread({ threadId: bytes(threadId) }),
    vault: await chorale.addresses.vault({ thread }),
    message: await chorale.addresses.message({ thread, contentHash: bytes(contentHash) }),
  };
  assert.deepEqual(Object.fromEntries(Object.entries(found).map(([name, [key]]) => [name, key])), addresses);
});

test("malformed identities are errors", async () => {
  await assert.rejects(identity.threadId("0".repeat(44), 1n), TypeError);
  await assert.rejects(identity.threadId(vectors.creator, -1n), TypeError);
  await assert.rejects(identity.bodyHash("AA".repeat(32), "text"), TypeError);
  await assert.rejects(identity.titleHash(vectors.threadId, "\ud800"), TypeError);
});
