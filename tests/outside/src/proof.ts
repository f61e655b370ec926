/** Checks a Merkle path the way any outsider could: SHA-256 alone. */
import { createHash } from "node:crypto";

const sha256 = (...parts: Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

export function rootOf(contentHash: string, leafIndex: number, path: string[]): string {
  if (path.length !== 20) throw new Error(`a path has 20 hashes, this one ${path.length}`);
  let node = sha256(Uint8Array.of(0), Buffer.from(contentHash, "hex"));
  path.forEach((hex, level) => {
    const sibling = Buffer.from(hex, "hex");
    node = (leafIndex >> level) & 1 ? sha256(Uint8Array.of(1), sibling, node) : sha256(Uint8Array.of(1), node, sibling);
  });
  return node.toString("hex");
}
