/** The verifier accepts what was published and refuses everything else, for the reasons that Python gives. */
import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "node:test";
import {
  bodyHash,
  contentHash,
  verifyProof,
  type Content,
  type ContentProof,
  type ThreadBytes,
  type Verdict,
} from "../src/verifier.js";
import { tampered, textOf, type Claim } from "./tampering.js";

type Stored = { address: string; owner: string; data: string };
type Vector = {
  name: string;
  content: Content & { nonce: string; body: string };
  proof: ContentProof;
  account: string;
};
type Changed = {
  name: string;
  refusal: string;
  content: Content;
  proof: ContentProof;
  account: Stored | null;
  programId: string;
};
type Vectors = {
  programId: string;
  accounts: Record<string, Stored>;
  proved: Vector[];
  alsoProved: Vector[];
  base: Changed;
  refused: Partial<Changed>[];
  tampered: { seed: number; count: number; digest: string };
};

const AT_ONCE = 250; // WebCrypto answers from other threads: waiting for one proof at a time is mostly waiting
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const vectors = JSON.parse(read("../../tests/vectors/proofs.json")) as Vectors;

const raw = (account: Stored | null): ThreadBytes =>
  (account && { ...account, data: Uint8Array.from(Buffer.from(account.data, "base64")) }) as ThreadBytes;
const accountOf = (name: string): ThreadBytes => raw(vectors.accounts[name] ?? null);

const claims: Claim[] = vectors.proved.map(({ content, proof, account }) => ({
  ...accountOf(account),
  body: new TextEncoder().encode(content.body),
  salt: content.salt,
  author: content.author,
  nonce: content.nonce,
  threadId: content.threadId,
  leafIndex: proof.leafIndex,
  path: proof.path,
  leaf: proof.leaf ?? null,
  root: proof.root ?? null,
  account: proof.account ?? null,
  programId: vectors.programId,
}));

const verifyClaim = (claim: Claim): Promise<Verdict> => verifyProof(claim, claim, claim, claim.programId);

test("published messages of threads of every awkward size are proved", async () => {
  for (const { name, content, proof, account } of [...vectors.proved, ...vectors.alsoProved]) {
    assert.deepEqual(await verifyProof(content, proof, accountOf(account), vectors.programId), { valid: true }, name);
    const identity = await contentHash(
      content.threadId,
      content.author,
      content.nonce,
      await bodyHash(content.salt, content.body),
    );
    const named = { ...content, contentHash: Buffer.from(identity).toString("hex") };
    assert.deepEqual(await verifyProof(named, proof, accountOf(account), vectors.programId), { valid: true }, name);
  }
});

test("each change to a proof that holds is refused for its own reason", async () => {
  for (const vector of vectors.refused) {
    const { content, proof, account, programId } = { ...vectors.base, ...vector };
    const verdict = await verifyProof(content, proof, raw(account), programId);
    assert.deepEqual(verdict, { valid: false, refusal: vector.refusal }, vector.name);
  }
  assert.ok(vectors.refused.length > 60);
});

test("ten thousand tampered proofs are refused, the same ones and for the same reasons as in Python", async () => {
  const { seed, count, digest } = vectors.tampered;
  const held = new Set(
    claims.flatMap((claim) => [textOf(claim), textOf({ ...claim, leaf: null, root: null, account: null })]),
  );
  const hash = createHash("sha256");
  const all = [...tampered(claims, seed, count)];
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const some = all.slice(start, start + AT_ONCE);
    const verdicts = await Promise.all(some.map(verifyClaim));
    for (const [place, verdict] of verdicts.entries()) {
      const text = textOf(some[place]!);
      assert.ok(!held.has(text));
      assert.ok(!verdict.valid, text);
      hash.update(`${text}|${verdict.refusal}\n`);
    }
  }
  assert.equal(all.length, 10_000);
  assert.equal(hash.digest("hex"), digest);
});

test("junk of any type is refused and never throws", async () => {
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error("hostile");
      },
    },
  );
  const junk: unknown[] = [
    undefined,
    null,
    true,
    0,
    -0,
    NaN,
    1.5,
    2 ** 64,
    1n,
    -1n,
    "",
    "0".repeat(64),
    "\ud800",
    Symbol("s"),
    () => 1,
    [],
    {},
    throwing,
    new Uint8Array(971),
    new Array(20),
    new Date(),
  ];
  const claim = claims[2]!; // index 1, nonce 7: nothing below is either
  const verify = verifyProof as (...given: unknown[]) => Promise<Verdict>;
  for (const given of junk) {
    for (const place of [0, 1, 2, 3]) {
      const parts: unknown[] = [claim, claim, claim, claim.programId];
      parts[place] = given;
      assert.equal((await verify(...parts)).valid, false);
    }
    for (const name of [
      "body",
      "salt",
      "author",
      "nonce",
      "threadId",
      "leafIndex",
      "path",
      "address",
      "owner",
      "data",
    ]) {
      const changed = { ...claim, [name]: given };
      assert.equal((await verify(changed, changed, changed, claim.programId)).valid, false, `${name} ${typeof given}`);
    }
    const siblings = { ...claim, path: claim.path.toSpliced(3, 1, given as string) };
    assert.equal((await verify(claim, siblings, claim, claim.programId)).valid, false);
  }
});

test("a platform without WebCrypto is no reason to refuse a message", async () => {
  const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true }); // as in an insecure context
  try {
    await assert.rejects(verifyClaim(claims[0]!), TypeError);
  } finally {
    Object.defineProperty(globalThis, "crypto", crypto);
  }
  assert.deepEqual(await verifyClaim(claims[0]!), { valid: true });
});

test("the verifier has no dependencies", () => {
  const seen = new Set<string>();
  const follow = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, imported] of read(path).matchAll(/(?:from|import\() ?"([^"]+)"/g)) {
      assert.match(imported!, /^\.\//, `${path} imports ${imported}`);
      follow(`dist/src/${imported!.slice(2)}`);
    }
  };
  follow("dist/src/verifier.js");
  assert.deepEqual([...seen].sort(), [
    "dist/src/hashing.js",
    "dist/src/identity.js",
    "dist/src/proof.js",
    "dist/src/verifier.js",
  ]);
});
