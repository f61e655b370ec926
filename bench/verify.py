"""verify: what it costs to check one proof, in Python and in TypeScript, beside its bare hashing."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.people import Demo
from bench.report import figure, percentile, spread, table
from programs.proof import DEPTH, verify

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests" / "vectors" / "proofs.json"
VERIFIER = ROOT / "web" / "client" / "dist" / "src" / "verifier.js"
PROOFS = 1_000
HASHES = DEPTH + 4  # body, content, leaf, the account's address, and the path

_SCRIPT = """
import { readFileSync } from "node:fs";
const [, verifier, file, proofs] = process.argv;
const { verifyProof } = await import(verifier);
const { base } = JSON.parse(readFileSync(file, "utf8"));
const account = { ...base.account, data: Uint8Array.from(Buffer.from(base.account.data, "base64")) };
const taken = [];
for (let number = 0; number < Number(proofs); number += 1) {
  const began = performance.now();
  const { valid } = await verifyProof(base.content, base.proof, account, base.programId);
  taken.push((performance.now() - began) * 1000);
  if (!valid) throw new Error("The proof does not hold.");
}
console.log(JSON.stringify(taken));
"""


async def run(_demo: Demo) -> str:
    """The table."""
    base = json.loads(VECTORS.read_text(encoding="utf-8"))["base"]
    checked, bare = _python(base), _bare()
    rows = [("bare SHA-256, 24 times 65 bytes (hashlib)", bare), ("programs/proof.py", checked)]
    if shutil.which("node") is not None and VERIFIER.exists():
        rows.append(("web/client (WebCrypto in Node)", _typescript()))
    shown = [
        (name, figure(percentile(taken, 0.5)), figure(percentile(taken, 0.99)), _ratio(taken, bare))
        for name, taken in rows
    ]
    return table(("one proof", "p50 µs", "p99 µs", "ratio to bare hashing (min / median / max)"), shown)


def _ratio(taken: list[float], bare: list[float]) -> str:
    fifth = PROOFS // 5
    parts = [slice(start, start + fifth) for start in range(0, PROOFS, fifth)]
    return spread([percentile(taken[part], 0.5) / percentile(bare[part], 0.5) for part in parts])


def _python(base: Any) -> list[float]:
    account = {**base["account"], "data": b64decode(base["account"]["data"])}
    taken = []
    for _ in range(PROOFS):
        began = time.perf_counter()
        verdict = verify(base["content"], base["proof"], account, base["programId"])
        taken.append((time.perf_counter() - began) * 1e6)
        if not verdict:
            raise RuntimeError(f"The proof does not hold: {verdict.refusal}.")
    return taken


def _bare() -> list[float]:
    taken = []
    for _ in range(PROOFS):
        node = bytes(32)
        began = time.perf_counter()
        for _ in range(HASHES):
            node = sha256(b"\x01" + node + node).digest()
        taken.append((time.perf_counter() - began) * 1e6)
    return taken


def _typescript() -> list[float]:
    command = ["node", "--input-type=module", "-e", _SCRIPT, str(VERIFIER), str(VECTORS), str(PROOFS)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    taken: list[float] = json.loads(ended.stdout)
    return taken
