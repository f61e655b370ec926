"""The tree of a thread's published content hashes: append-only, SHA-256, depth 20. Standard library only.

Leaf `sha256(0x00 ‖ content hash)`, node `sha256(0x01 ‖ left ‖ right)`; an empty leaf is 32 zero bytes. Hashes are 64
lower-case hex digits. `tests/vectors/merkle.json` are its vectors; `programs/proof.py` checks proofs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

DEPTH = 20
CAPACITY = 2**DEPTH

_ZERO = "00" * 32


def leaf_hash(content_hash: str) -> str:
    """Leaf of a content hash."""
    return sha256(b"\x00" + bytes.fromhex(content_hash)).hexdigest()


def node_hash(left: str, right: str) -> str:
    """Parent of two nodes."""
    return sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


def _empty_subtrees() -> tuple[str, ...]:
    nodes = [_ZERO]
    for _ in range(DEPTH):
        nodes.append(node_hash(nodes[-1], nodes[-1]))
    return tuple(nodes)


EMPTY = _empty_subtrees()
"""Root of an empty subtree at each level, 0 to 20; `EMPTY[20]` is the root of an empty thread."""

EMPTY_FRONTIER = (_ZERO,) * DEPTH
"""Frontier of an empty thread: all slots unused."""


def append(frontier: Sequence[str], count: int, content_hash: str) -> tuple[tuple[str, ...], str]:
    """Frontier and root after `content_hash` became leaf number `count`.

    `frontier[k]` is the left sibling that waits at level k, zero where none does. Raises ValueError where the tree is
    full or the frontier does not have 20 slots.
    """
    if len(frontier) != DEPTH:
        raise ValueError(f"A frontier has {DEPTH} slots, not {len(frontier)}.")
    if not 0 <= count < CAPACITY:
        raise ValueError(f"The tree takes {CAPACITY} leaves; there is no leaf {count}.")
    slots = list(frontier)
    node = leaf_hash(content_hash)
    placed = False
    for level in range(DEPTH):
        if count >> level & 1:
            node = node_hash(slots[level], node)
            if not placed:
                # The subtree below is complete and waits further up: nothing waits here any more.
                slots[level] = _ZERO
        else:
            if not placed:
                slots[level] = node
                placed = True
            node = node_hash(node, EMPTY[level])
    return tuple(slots), node


def fold(content_hashes: Iterable[str]) -> tuple[tuple[str, ...], int, str]:
    """Frontier, count and root after appending all of `content_hashes` to an empty tree."""
    frontier, count, root = EMPTY_FRONTIER, 0, EMPTY[DEPTH]
    for content_hash in content_hashes:
        frontier, root = append(frontier, count, content_hash)
        count += 1
    return frontier, count, root


def root_of(content_hashes: Sequence[str]) -> str:
    """Root of the tree of `content_hashes` in leaf order, level by level (independent of `append`)."""
    if len(content_hashes) > CAPACITY:
        raise ValueError(f"The tree takes {CAPACITY} leaves, not {len(content_hashes)}.")
    nodes = [leaf_hash(content_hash) for content_hash in content_hashes]
    for level in range(DEPTH):
        if len(nodes) % 2:
            nodes.append(EMPTY[level])
        nodes = [node_hash(nodes[i], nodes[i + 1]) for i in range(0, len(nodes), 2)]
    return nodes[0] if nodes else EMPTY[DEPTH]


def path_of(content_hashes: Sequence[str], leaf_index: int) -> tuple[str, ...]:
    """The 20 siblings of a leaf, lowest first. Raises IndexError where there is no such leaf."""
    if not 0 <= leaf_index < len(content_hashes):
        raise IndexError(f"There is no leaf {leaf_index} among {len(content_hashes)}.")
    nodes = [leaf_hash(content_hash) for content_hash in content_hashes]
    path = []
    for level in range(DEPTH):
        if len(nodes) % 2:
            nodes.append(EMPTY[level])
        path.append(nodes[leaf_index ^ 1])
        nodes = [node_hash(nodes[i], nodes[i + 1]) for i in range(0, len(nodes), 2)]
        leaf_index >>= 1
    return tuple(path)


def verify_path(content_hash: str, leaf_index: int, path: Sequence[str], root: str, published_count: int) -> bool:
    """Whether `path` (20 siblings, lowest first) leads from the leaf to `root`, all of one sequence of the thread."""
    if len(path) != DEPTH or not 0 <= leaf_index < published_count <= CAPACITY:
        return False
    if not all(_is_hash(text) for text in (content_hash, root, *path)):
        return False
    node = leaf_hash(content_hash)
    for level, sibling in enumerate(path):
        node = node_hash(sibling, node) if leaf_index >> level & 1 else node_hash(node, sibling)
    return node == root


def _is_hash(text: str) -> bool:
    return len(text) == 64 and all(digit in "0123456789abcdef" for digit in text)
