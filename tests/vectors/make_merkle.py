"""Writes tests/vectors/merkle.json: roots, frontiers and proofs at the sizes where trees go wrong.

Run `python -m tests.vectors.make_merkle`; it appends 2^20 leaves one by one and takes about a minute.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from programs import merkle

FILE = Path(__file__).with_name("merkle.json")
REPEATED = sha256(b"chorale merkle vector").hexdigest()
SMALL = [sha256(f"chorale merkle vector {index}".encode()).hexdigest() for index in range(3)]


def _small(count: int) -> dict[str, Any]:
    hashes = SMALL[:count]
    frontier, _, root = merkle.fold(hashes)
    if root != merkle.root_of(hashes):
        raise SystemExit("append and root_of disagree")
    proofs = [{"leaf_index": i, "content_hash": hashes[i], "path": merkle.path_of(hashes, i)} for i in range(count)]
    return {"published_count": count, "content_hashes": hashes, "root": root, "frontier": frontier, "proofs": proofs}


def _large() -> list[dict[str, Any]]:
    vectors = []
    frontier, root = merkle.EMPTY_FRONTIER, merkle.EMPTY[merkle.DEPTH]
    for count in range(merkle.CAPACITY):
        frontier, root = merkle.append(frontier, count, REPEATED)
        if count + 1 >= merkle.CAPACITY - 1:
            hashes = [REPEATED] * (count + 1)
            if root != merkle.root_of(hashes):
                raise SystemExit("append and root_of disagree")
            proofs = [
                {"leaf_index": i, "content_hash": REPEATED, "path": merkle.path_of(hashes, i)}
                for i in (0, 12_345, count)
            ]
            vectors.append(
                {
                    "published_count": count + 1,
                    "repeated_content_hash": REPEATED,
                    "root": root,
                    "frontier": frontier,
                    "proofs": proofs,
                }
            )
    return vectors


if __name__ == "__main__":
    vectors = [*(_small(count) for count in range(4)), *_large()]
    FILE.write_text(json.dumps({"empty": merkle.EMPTY, "vectors": vectors}, indent=1) + "\n")
