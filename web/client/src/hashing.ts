/** SHA-256 and the canonical notations of keys, hashes and numbers. No dependencies: the platform's WebCrypto alone. */

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Hash of the parts one after the other. */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

export const same = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, place) => byte === other[place]);

export const hex = (raw: Uint8Array): string => Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The bytes of 64 lower-case hex digits; null where it is anything else. */
export function hashBytes(text: unknown): Uint8Array<ArrayBuffer> | null {
  if (typeof text !== "string" || !/^[0-9a-f]{64}$/.test(text)) return null;
  return Uint8Array.from({ length: 32 }, (_, place) => parseInt(text.slice(2 * place, 2 * place + 2), 16));
}

/** The 32 bytes of a base58 key, of which there is one notation only; null where it is anything else. */
export function keyBytes(text: unknown): Uint8Array<ArrayBuffer> | null {
  if (typeof text !== "string" || text.length < 32 || text.length > 44) return null;
  let number = 0n;
  for (const letter of text) {
    const digit = BASE58.indexOf(letter);
    if (digit < 0) return null;
    number = number * 58n + BigInt(digit);
  }
  const raw: number[] = [];
  for (; number > 0n; number >>= 8n) raw.unshift(Number(number & 255n));
  const zeros = text.length - text.replace(/^1+/, "").length;
  return zeros + raw.length === 32 ? Uint8Array.from([...new Array<number>(zeros).fill(0), ...raw]) : null;
}

/** Eight little-endian bytes of a number, or of a decimal without sign and leading zeros; null where it is anything else. */
export function u64Bytes(number: unknown): Uint8Array<ArrayBuffer> | null {
  const isExact =
    typeof number === "bigint" ||
    (typeof number === "number" && Number.isSafeInteger(number)) ||
    (typeof number === "string" && /^(0|[1-9][0-9]{0,19})$/.test(number));
  if (!isExact) return null;
  const exact = BigInt(number);
  if (exact < 0n || exact >= 1n << 64n) return null;
  const raw = new Uint8Array(8);
  new DataView(raw.buffer).setBigUint64(0, exact, true);
  return raw;
}

/** UTF-8 of a text, or the bytes themselves; null for lone surrogates, which are no text, and for anything else. */
export function textBytes(text: unknown): Uint8Array | null {
  if (text instanceof Uint8Array) return text;
  return typeof text === "string" && !/\p{Surrogate}/u.test(text) ? utf8(text) : null;
}
