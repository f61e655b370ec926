/** `tests/vectors/tampering.py` in TypeScript: ten thousand proofs that were tampered with, the same ones. */
import { createHash } from "node:crypto";

const HEX = "0123456789abcdef";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const PUBLISHED_COUNT = 163;
const CONTENT_ROOT = 191;
const SEATS = 927;
// Discriminator, version, bump, thread id.
const CHECKED = [...Array(10).keys(), ...Array.from(Array(32).keys(), (place) => place + 11)];

/** xorshift32: the same numbers in every language. */
export class Numbers {
  constructor(private state: number) {}

  below(limit: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state % limit;
  }
}

/** All that a verifier is given. */
export type Claim = {
  readonly body: Uint8Array;
  readonly salt: string;
  readonly author: string;
  readonly nonce: string;
  readonly threadId: string;
  readonly leafIndex: number;
  readonly path: readonly string[];
  readonly leaf: string | null;
  readonly root: string | null;
  readonly account: string | null;
  readonly address: string;
  readonly owner: string;
  readonly data: Uint8Array;
  readonly programId: string;
};

type Way = (claim: Claim, numbers: Numbers) => Claim;

const hex = (raw: Uint8Array): string => Buffer.from(raw).toString("hex");

/** All of a claim in one line. */
export function textOf(claim: Claim): string {
  const named = [claim.leaf, claim.root, claim.account].map((value) => value ?? "-");
  const content = [hex(claim.body), claim.salt, claim.author, claim.nonce, claim.threadId];
  const proof = [claim.leafIndex, claim.path.join(), ...named];
  return [...content, ...proof, claim.address, claim.owner, hex(claim.data), claim.programId].join("|");
}

function otherDigit(text: string, digits: string, numbers: Numbers): string {
  const place = numbers.below(text.length);
  const digit = digits[(digits.indexOf(text[place]!) + 1 + numbers.below(digits.length - 1)) % digits.length]!;
  return text.slice(0, place) + digit + text.slice(place + 1);
}

function otherBit(raw: Uint8Array, place: number, numbers: Numbers): Uint8Array {
  const changed = Uint8Array.from(raw);
  changed[place]! ^= 1 << numbers.below(8);
  return changed;
}

const withSibling = (claim: Claim, place: number, text: string): Claim => ({
  ...claim,
  path: claim.path.with(place, text),
});

function sibling(claim: Claim, numbers: Numbers): Claim {
  const place = numbers.below(20);
  return withSibling(claim, place, otherDigit(claim.path[place]!, HEX, numbers));
}

function siblingInCapitals(claim: Claim, numbers: Numbers): Claim {
  const place = numbers.below(20);
  const capitals = claim.path[place]!.toUpperCase();
  return capitals === claim.path[place] ? sibling(claim, numbers) : withSibling(claim, place, capitals);
}

function siblingsSwapped(claim: Claim, numbers: Numbers): Claim {
  const one = numbers.below(20);
  const other = (one + 1 + numbers.below(19)) % 20;
  return withSibling(withSibling(claim, one, claim.path[other]!), other, claim.path[one]!);
}

function siblingFromElsewhere(claim: Claim, numbers: Numbers): Claim {
  const leaf = createHash("sha256").update(Uint8Array.of(0)).update(Buffer.from(claim.salt, "hex")).digest("hex");
  const root = hex(claim.data.subarray(CONTENT_ROOT, CONTENT_ROOT + 32));
  const place = numbers.below(20);
  return withSibling(claim, place, [leaf, root][numbers.below(2)]!);
}

const rootBit: Way = (claim, numbers) => ({
  ...claim,
  data: otherBit(claim.data, CONTENT_ROOT + numbers.below(32), numbers),
});

function countLower(claim: Claim, numbers: Numbers): Claim {
  const data = Uint8Array.from(claim.data);
  new DataView(data.buffer).setUint32(PUBLISHED_COUNT, numbers.below(claim.leafIndex + 1), true);
  return { ...claim, data };
}

const digit =
  (
    name: "salt" | "author" | "threadId" | "address" | "owner" | "programId" | "leaf" | "root" | "account",
    digits: string,
  ): Way =>
  (claim, numbers) => ({ ...claim, [name]: otherDigit(claim[name]!, digits, numbers) });

const published = (claim: Claim): number => new DataView(claim.data.buffer).getUint32(PUBLISHED_COUNT, true);

const WAYS: readonly Way[] = [
  (claim, numbers) => ({
    ...claim,
    body: claim.body.length ? otherBit(claim.body, numbers.below(claim.body.length), numbers) : Uint8Array.of(32),
  }),
  (claim, numbers) => ({ ...claim, body: Uint8Array.of(...claim.body, numbers.below(256)) }),
  (claim, numbers) => ({
    ...claim,
    body: claim.body.length ? claim.body.slice(0, numbers.below(claim.body.length)) : Uint8Array.of(0),
  }),
  digit("salt", HEX),
  digit("author", BASE58),
  (claim, numbers) => ({ ...claim, nonce: (BigInt(claim.nonce) ^ (1n << BigInt(numbers.below(64)))).toString() }),
  digit("threadId", HEX),
  (claim, numbers) => ({ ...claim, leafIndex: claim.leafIndex ^ (1 << numbers.below(20)) }),
  (claim, numbers) => ({ ...claim, leafIndex: published(claim) + numbers.below(1000) }),
  sibling,
  siblingsSwapped,
  (claim, numbers) => ({ ...claim, path: claim.path.toSpliced(numbers.below(20), 1) }),
  (claim, numbers) => {
    const place = numbers.below(20);
    return { ...claim, path: claim.path.toSpliced(place, 0, claim.path[place]!) };
  },
  (claim, numbers) => {
    const place = 1 + numbers.below(19);
    return { ...claim, path: [...claim.path.slice(place), ...claim.path.slice(0, place)] };
  },
  siblingFromElsewhere,
  siblingInCapitals,
  (claim, numbers) => ({ ...claim, data: otherBit(claim.data, CHECKED[numbers.below(CHECKED.length)]!, numbers) }),
  rootBit,
  (claim, numbers) => ({ ...claim, data: claim.data.slice(0, numbers.below(SEATS + 4 + 40 * claim.data[SEATS]!)) }),
  (claim, numbers) => ({ ...claim, data: Uint8Array.of(...claim.data, ...new Uint8Array(1 + numbers.below(39))) }),
  countLower,
  digit("address", BASE58),
  digit("owner", BASE58),
  digit("programId", BASE58),
  digit("leaf", HEX),
  digit("root", HEX),
  digit("account", BASE58),
];
const NAMED = 3; // the last ways need what a proof only may name

function exchanged(claims: readonly Claim[], which: number, numbers: Numbers): Claim {
  const claim = claims[which]!;
  const other = claims[(which + 1 + numbers.below(claims.length - 1)) % claims.length]!;
  const kind = numbers.below(3);
  if (kind === 0) return { ...claim, body: other.body, salt: other.salt, author: other.author, nonce: other.nonce };
  if (kind === 1) return { ...claim, leafIndex: other.leafIndex, path: other.path };
  if (other.address === claim.address) return rootBit(claim, numbers);
  return { ...claim, address: other.address, owner: other.owner, data: other.data };
}

/** `count` claims, each one of `claims` with something changed. */
export function* tampered(claims: readonly Claim[], seed: number, count: number): Generator<Claim> {
  const numbers = new Numbers(seed);
  for (let number = 0; number < count; number += 1) {
    const which = numbers.below(claims.length);
    const way = number % (WAYS.length + 1);
    if (way === WAYS.length) {
      yield exchanged(claims, which, numbers);
      continue;
    }
    const isBare = way < WAYS.length - NAMED && numbers.below(2) === 1;
    const claim = claims[which]!;
    yield WAYS[way]!(isBare ? { ...claim, leaf: null, root: null, account: null } : claim, numbers);
  }
}
