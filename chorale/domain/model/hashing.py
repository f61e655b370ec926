"""Identities, the tree of published hashes and derived addresses, from SHA-256 alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256

from chorale.domain.model.values import TREE_DEPTH, ZERO, Key

_FIELD = 2**255 - 19
_CURVE_D = -121665 * pow(121666, -1, _FIELD) % _FIELD


def digest(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other."""
    return sha256(b"".join(parts)).digest()


def thread_id(creator: Key, nonce: int) -> bytes:
    """Identity of the thread that `creator` makes with `nonce`."""
    return digest(b"chorale:thread:1", creator, nonce.to_bytes(8, "little"))


def content_hash(thread: bytes, author: Key, nonce: int, body_hash: bytes) -> bytes:
    """Identity of the message that `author` writes into the thread with id `thread`."""
    return digest(b"chorale:message:1", thread, author, nonce.to_bytes(8, "little"), body_hash)


def leaf(content_hash: bytes) -> bytes:
    """Leaf of a published content hash."""
    return digest(b"\x00", content_hash)


def parent(left: bytes, right: bytes) -> bytes:
    """Node above two nodes."""
    return digest(b"\x01", left, right)


def doubled(node: bytes) -> list[bytes]:
    """Roots, level by level, of trees whose subtrees at level 0 are all `node`; 21 of them."""
    nodes = [node]
    for _ in range(TREE_DEPTH):
        nodes.append(parent(nodes[-1], nodes[-1]))
    return nodes


EMPTY = doubled(ZERO)


def appended(frontier: Sequence[bytes], count: int, content_hash: bytes) -> tuple[list[bytes], bytes]:
    """Frontier and root after `content_hash` became leaf number `count`.

    The new leaf joins the complete subtrees that wait below the lowest 0 of `count`, and waits there itself.
    """
    slots, node, level = list(frontier), leaf(content_hash), 0
    while level < TREE_DEPTH and count >> level & 1:
        node, slots[level] = parent(slots[level], node), ZERO
        level += 1
    if level < TREE_DEPTH:
        slots[level] = node
    for above in range(level, TREE_DEPTH):
        node = parent(slots[above], node) if count >> above & 1 else parent(node, EMPTY[above])
    return slots, node


def root_of(leaf_at: Callable[[int], bytes], count: int, filled: int = 0, filler: Sequence[bytes] = EMPTY) -> bytes:
    """Root of a tree of `count` leaves, by definition: halves of halves, without a frontier.

    The first `filled` leaves are all `filler[0]` (with `filler` from `doubled`), the rest `leaf_at(index)`.
    """
    return node_of(leaf_at, count, TREE_DEPTH, 0, filled, filler)


def node_of(
    leaf_at: Callable[[int], bytes], count: int, level: int, index: int, filled: int, filler: Sequence[bytes]
) -> bytes:
    """Node number `index` at `level` of the same tree."""
    first, behind = index << level, (index + 1) << level
    if first >= count:
        return EMPTY[level]
    if behind <= filled:
        return filler[level]
    if level == 0:
        return leaf_at(index)
    left, right = (node_of(leaf_at, count, level - 1, 2 * index + side, filled, filler) for side in (0, 1))
    return parent(left, right)


def address_at(program: Key, seeds: Sequence[bytes], bump: int) -> Key:
    """Address of these seeds with this bump, whether or not it is the canonical one."""
    return digest(*seeds, bytes([bump]), program, b"ProgramDerivedAddress")


@lru_cache(maxsize=65_536)
def derived(program: Key, *seeds: bytes) -> tuple[Key, int]:
    """The canonical address of these seeds and its bump: the highest with which it is no point of the curve."""
    for bump in range(255, -1, -1):
        address = address_at(program, seeds, bump)
        if not _on_curve(address):
            return address, bump
    raise ValueError("these seeds have no address")


def _on_curve(raw: bytes) -> bool:
    """Whether 32 bytes are a compressed point of Ed25519: x² = (y² − 1) / (d·y² + 1) has a root."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    square = y * y % _FIELD
    return pow((square - 1) * (_CURVE_D * square + 1), (_FIELD - 1) // 2, _FIELD) in (0, 1)
