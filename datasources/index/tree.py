"""A thread's Merkle tree in SQLite: complete subtrees, numbered in the order in which they become complete.

Appending only ever adds rows behind the others, and no row changes. The cut edge, the one incomplete subtree of each
level, is folded from complete ones when it is asked for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from programs.merkle import DEPTH, EMPTY, leaf_hash, node_hash

Node = Callable[[int, int], str]


def node_number(level: int, place: int) -> int:
    """Number of the complete subtree at `level` (0: leaves) and `place` within that level."""
    last_leaf = ((place + 1) << level) - 1
    # n leaves make 2n - popcount(n) complete subtrees; those that end in one leaf follow it level by level.
    return 2 * last_leaf - last_leaf.bit_count() + level


def append(connection: sqlite3.Connection, thread: int, count: int, content_hashes: Iterable[str]) -> str:
    """Add leaves behind the `count` that are there; returns the root after it."""
    stored = _reader(connection, thread, _peaks(count))
    waiting = {level: stored(level, place) for level, place in _peaks(count)}
    rows: list[tuple[int, int, bytes]] = []
    for content_hash in content_hashes:
        node = leaf_hash(content_hash)
        level, place = 0, count
        rows.append((thread, node_number(level, place), bytes.fromhex(node)))
        while place & 1:
            node = node_hash(waiting.pop(level), node)
            level, place = level + 1, place >> 1
            rows.append((thread, node_number(level, place), bytes.fromhex(node)))
        waiting[level] = node
        count += 1
    connection.executemany("INSERT INTO nodes (thread, number, hash) VALUES (?, ?, ?)", rows)
    return edges(count, lambda level, _: waiting[level])[DEPTH] if count else EMPTY[DEPTH]


def path(connection: sqlite3.Connection, thread: int, leaf_index: int, count: int) -> tuple[str, ...]:
    """The 20 siblings of a leaf, lowest first, in the tree of the first `count` leaves; at most 40 nodes are read."""
    siblings = [(level, (leaf_index >> level) ^ 1) for level in range(DEPTH)]
    complete = [(level, place) for level, place in siblings if (place + 1) << level <= count]
    stored = _reader(connection, thread, {*complete, *_peaks(count)})
    cut = edges(count, stored)
    hashes = []
    for level, place in siblings:
        if (place + 1) << level <= count:
            hashes.append(stored(level, place))
        elif place << level < count:
            hashes.append(cut[level])
        else:
            hashes.append(EMPTY[level])
    return tuple(hashes)


def _peaks(count: int) -> list[tuple[int, int]]:
    """The largest complete subtrees that `count` leaves make, as (level, place)."""
    return [(level, (count >> level) - 1) for level in range(DEPTH + 1) if count >> level & 1]


def edges(count: int, stored: Node) -> Sequence[str]:
    """At each level the subtree that the end cuts, completed by empty ones; at 20 it is the root.

    Where the end falls between two subtrees of a level, that level's is empty."""
    edges: list[str] = []
    cut: str | None = None  # the incomplete subtree of this level, where there is one
    for level in range(DEPTH + 1):
        place = count >> level
        edges.append(cut or EMPTY[level])
        if place & 1:
            left = stored(level, place - 1)
            if level == DEPTH:
                edges[level] = left
            cut = node_hash(left, cut or EMPTY[level])
        elif cut:
            cut = node_hash(cut, EMPTY[level])
    return edges


def _reader(connection: sqlite3.Connection, thread: int, places: Iterable[tuple[int, int]]) -> Node:
    numbers = [node_number(level, place) for level, place in places]
    marks = ",".join("?" * len(numbers))
    found: dict[int, bytes] = dict(
        connection.execute(
            f"SELECT number, hash FROM nodes WHERE thread = ? AND number IN ({marks})",  # noqa: S608 -- only marks
            (thread, *numbers),
        ).fetchall()
    )
    return lambda level, place: found[node_number(level, place)].hex()
