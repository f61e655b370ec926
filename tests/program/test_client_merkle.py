"""The Python tree agrees with itself, with its published vectors and with nothing it should refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from programs import merkle

HASHES = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=40)
VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "merkle.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: str(vector["published_count"]))
def test_vectors_hold(vector: dict[str, Any]) -> None:
    """Root, frontier and every proof of a vector are what this code computes."""
    count = vector["published_count"]
    if "content_hashes" in vector:
        frontier, _, root = merkle.fold(vector["content_hashes"])
        assert root == merkle.root_of(vector["content_hashes"])
    else:
        frontier, root = _append_last(vector["repeated_content_hash"], count)
    assert root == vector["root"]
    assert list(frontier) == vector["frontier"]
    for proof in vector["proofs"]:
        assert merkle.verify_path(proof["content_hash"], proof["leaf_index"], proof["path"], root, count)


def _append_last(content_hash: str, count: int) -> tuple[tuple[str, ...], str]:
    # With equal leaves every complete subtree of one height is the same, so that the frontier in front of the last
    # append follows from the bits of the count alone.
    complete = [merkle.leaf_hash(content_hash)]
    for _ in range(merkle.DEPTH):
        complete.append(merkle.node_hash(complete[-1], complete[-1]))
    before = count - 1
    frontier = [complete[level] if before >> level & 1 else "00" * 32 for level in range(merkle.DEPTH)]
    return merkle.append(frontier, before, content_hash)


def test_vectors_reach_the_edges() -> None:
    """The published sizes are the ones where trees go wrong, and the empty subtrees are published with them."""
    assert [vector["published_count"] for vector in VECTORS["vectors"]] == [0, 1, 2, 3, 2**20 - 1, 2**20]
    assert VECTORS["empty"] == list(merkle.EMPTY)
    assert VECTORS["vectors"][0]["root"] == merkle.EMPTY[20]


@given(HASHES)
def test_append_equals_the_tree_built_at_once(hashes: list[str]) -> None:
    """Appending leaf by leaf ends in the root of the whole, and each leaf has a proof in it."""
    frontier, count, root = merkle.fold(hashes)
    assert (count, root) == (len(hashes), merkle.root_of(hashes))
    assert [slot != "00" * 32 for slot in frontier] == [bool(count >> level & 1) for level in range(merkle.DEPTH)]
    for index, content_hash in enumerate(hashes):
        assert merkle.verify_path(content_hash, index, merkle.path_of(hashes, index), root, count)


def test_altered_proofs_fail() -> None:
    """A proof of another leaf, length, position, count, root or notation is refused, not raised on."""
    hashes = [f"{number:064x}" for number in range(1, 6)]
    root, path = merkle.root_of(hashes), list(merkle.path_of(hashes, 4))
    good = (hashes[4], 4, path, root, 5)
    assert merkle.verify_path(*good)
    wrong = [
        (hashes[3], 4, path, root, 5),
        (hashes[4], 3, path, root, 5),
        (hashes[4], 4 + merkle.CAPACITY, path, root, 5),
        (hashes[4], 4, path[:-1], root, 5),
        (hashes[4], 4, [*path, path[0]], root, 5),
        (hashes[4], 4, [path[0].upper(), *path[:-1]], root, 5),
        (hashes[4], 4, ["0", *path[1:]], root, 5),
        (hashes[4], 4, path, merkle.EMPTY[20], 5),
        (hashes[4], 4, path, root, 4),
        (hashes[4], -1, path, root, 5),
        (hashes[4], 4, path, root, merkle.CAPACITY + 1),
    ]
    assert not any(merkle.verify_path(*proof) for proof in wrong)


def test_an_empty_leaf_proves_nothing() -> None:
    """The place behind the last leaf has a path to the root, but no proof: the index must be below the count."""
    hashes = ["11" * 32]
    path = [merkle.leaf_hash(hashes[0]), *merkle.EMPTY[1:20]]
    assert not merkle.verify_path("00" * 32, 1, path, merkle.root_of(hashes), 1)


def test_a_full_tree_takes_no_more() -> None:
    """The 2^20 + 1st leaf is refused."""
    with pytest.raises(ValueError, match="no leaf"):
        merkle.append(merkle.EMPTY_FRONTIER, merkle.CAPACITY, "11" * 32)
