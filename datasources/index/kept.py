"""Whole rows of the index, and its trees recomputed: for whoever compares them with the accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from chorale.domain.kept import KeptMessage, KeptThread
from datasources.index.integers import unsigned
from datasources.index.tree import edges, node_number
from programs.merkle import DEPTH, node_hash

Waiting = dict[int, bytes]
"""Complete subtrees that wait for their right sibling, by level."""


def threads(connection: sqlite3.Connection, thread_ids: Sequence[str]) -> Mapping[str, KeptThread]:
    """Rows of these threads by id; those without an indexed account are left out."""
    rows = connection.execute(
        f"""SELECT number, thread_id, coalesce(address, ''), sequence, activity_at, leaves FROM threads
            WHERE sequence > 0 AND thread_id IN ({_marks(thread_ids)})""",  # noqa: S608 -- only marks
        tuple(thread_ids),
    ).fetchall()
    seats = _grouped(connection, "SELECT thread, key, joined_sequence FROM members WHERE thread", [r[0] for r in rows])
    return {
        thread_id: KeptThread(thread_id, address, sequence, activity_at, leaves, frozenset(seats.get(number, ())))
        for number, thread_id, address, sequence, activity_at, leaves in rows
    }


def messages(connection: sqlite3.Connection, content_hashes: Sequence[str]) -> Mapping[str, KeptMessage]:
    """Rows of these messages by hash, staged ones included; absent ones are left out."""
    rows = connection.execute(
        f"""SELECT m.number, m.content_hash, coalesce(t.thread_id, ''), m.author, m.status, m.sequence,
            m.submitted_sequence, m.submitted_at, m.expires_at, m.decided_at, m.share, m.escrow_remaining
            FROM messages m LEFT JOIN threads t ON t.number = m.thread
            WHERE m.content_hash IN ({_marks(content_hashes)})""",  # noqa: S608 -- only marks
        tuple(content_hashes),
    ).fetchall()
    votes = _grouped(
        connection, "SELECT message, voter, approve, claimed FROM votes WHERE message", [r[0] for r in rows]
    )
    return {row[1]: _message(row, votes.get(row[0], [])) for row in rows}


def hashes_after(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[str]:
    """Hashes of all messages above `after`, ascending, staged ones included."""
    rows = connection.execute(
        "SELECT content_hash FROM messages WHERE content_hash > ? ORDER BY content_hash LIMIT ?", (after, limit)
    ).fetchall()
    return [row[0] for row in rows]


def count(connection: sqlite3.Connection, thread_id: str, up_to: int) -> int:
    """How many of a thread's messages that are on chain came at sequence `up_to` or before."""
    found: int = connection.execute(
        """SELECT count(*) FROM messages WHERE thread = (SELECT number FROM threads WHERE thread_id = ?)
           AND submitted_sequence <= ?""",
        (thread_id, up_to),
    ).fetchone()[0]
    return found


def fold(connection: sqlite3.Connection, thread_id: str, first: int, last: int, waiting: Waiting) -> Waiting | None:
    """Go over the subtrees that leaves `first` to `last` - 1 complete, each recomputed from its children. Returns what
    waits then; None where a node is absent or not what its children make."""
    begin = node_number(0, first)
    end = node_number(0, last)
    found: dict[int, bytes] = dict(
        connection.execute(
            """SELECT number, hash FROM nodes WHERE thread = (SELECT number FROM threads WHERE thread_id = ?)
               AND number >= ? AND number < ?""",
            (thread_id, begin, end),
        ).fetchall()
    )
    waiting = dict(waiting)
    for leaf in range(first, last):
        level, place = 0, leaf
        node = found.get(node_number(level, place))
        while node is not None and place & 1:
            made = bytes.fromhex(node_hash(waiting.pop(level).hex(), node.hex()))
            level, place = level + 1, place >> 1
            node = made if found.get(node_number(level, place)) == made else None
        if node is None:
            return None
        waiting[level] = node
    return waiting


def root(count: int, waiting: Waiting) -> str:
    """Root of the first `count` leaves, of which `waiting` are the largest complete subtrees."""
    return edges(count, lambda level, _: waiting[level].hex())[DEPTH]


def _message(row: tuple[Any, ...], votes: Iterable[tuple[Any, ...]]) -> KeptMessage:
    _, content_hash, thread_id, author, status, sequence, submitted_sequence, *times, share, escrow_remaining = row
    submitted_at, expires_at, decided_at = times
    return KeptMessage(
        content_hash=content_hash,
        thread_id=thread_id,
        author=author,
        status=status,
        sequence=sequence,
        submitted_sequence=submitted_sequence,
        submitted_at=submitted_at,
        expires_at=expires_at,
        decided_at=decided_at,
        share=unsigned(share),
        escrow_remaining=unsigned(escrow_remaining),
        votes=frozenset((voter, bool(approve), bool(claimed)) for voter, approve, claimed in votes),
    )


def _grouped(connection: sqlite3.Connection, select: str, numbers: Sequence[int]) -> dict[int, list[tuple[Any, ...]]]:
    found = connection.execute(f"{select} IN ({_marks(numbers)}) ORDER BY 1", tuple(numbers)).fetchall()
    return {number: [row[1:] for row in rows] for number, rows in groupby(found, key=lambda row: row[0])}


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
