"""What the one writer changes. Each function runs inside a transaction of its caller and is guarded by sequences:
nothing older ever overwrites, and writing the same again changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKind, StoredContent
from chorale.domain.errors import IndexDivergedError
from chorale.domain.projection import ChainCursor, Projection
from datasources.index import log, tree
from datasources.index.integers import signed
from datasources.index.schema import STAGED_SEQUENCE


def number_of(connection: sqlite3.Connection, thread_id: str) -> int:
    """Number of a thread's row, made where it is absent."""
    rows = connection.execute("SELECT number FROM threads WHERE thread_id = ?", (thread_id,)).fetchall()
    if not rows:
        made = "INSERT INTO threads (thread_id) VALUES (?) RETURNING number"
        rows = connection.execute(made, (thread_id,)).fetchall()
    number: int = rows[0][0]
    return number


def apply(connection: sqlite3.Connection, projection: Projection) -> None:
    """One change of a thread: rows, tree, events, chain cursor. Raises IndexDivergedError."""
    account = projection.thread
    found = "SELECT number, sequence, leaves FROM threads WHERE thread_id = ?"
    rows = connection.execute(found, (account.thread_id,)).fetchall()
    thread, sequence, leaves = rows[0] if rows else (number_of(connection, account.thread_id), 0, 0)
    if sequence < projection.since:
        raise IndexDivergedError(
            f"Thread {account.thread_id} is at sequence {sequence}, its change goes on from {projection.since}."
        )
    if projection.replace:
        connection.execute("DELETE FROM nodes WHERE thread = ?", (thread,))
        leaves = 0
    if account.sequence > sequence or projection.replace:
        _grow_tree(connection, thread, leaves, account, projection.messages)
    if account.sequence > sequence:
        connection.execute(
            "UPDATE threads SET address = ?, sequence = ?, slot = ?, activity_at = ? WHERE number = ?",
            (account.address, account.sequence, projection.slot, account.activity_at, thread),
        )
        _seat(connection, thread, account)
    for message in projection.messages:
        _write_message(connection, thread, message)
    log.insert(connection, thread, projection.events)
    if projection.cursor is not None:
        advance(connection, projection.cursor)


def stage(connection: sqlite3.Connection, staged: Iterable[StoredContent]) -> None:
    """Rows for staged messages; titles are not listed, and what has an account is left alone."""
    connection.executemany(
        """INSERT INTO messages (content_hash, thread, author, status, sequence, submitted_sequence, submitted_at,
           expires_at, decided_at, share, escrow_remaining) VALUES (?, ?, ?, 'STAGED', 0, ?, 0, 0, 0, 0, 0)
           ON CONFLICT (content_hash) DO NOTHING""",
        [
            (content.key.hash, number_of(connection, content.key.thread_id), content.author, STAGED_SEQUENCE)
            for content in staged
            if content.key.kind is ContentKind.MESSAGE and content.status is MessageStatus.STAGED
        ],
    )


def unstage(connection: sqlite3.Connection, content_hashes: Sequence[str]) -> None:
    """Remove rows that are still staged."""
    connection.executemany(
        "DELETE FROM messages WHERE content_hash = ? AND status = 'STAGED'",
        [(content_hash,) for content_hash in content_hashes],
    )


def advance(connection: sqlite3.Connection, cursor: ChainCursor) -> None:
    """Set the chain cursor."""
    connection.executemany(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
        [("cursor_signature", cursor.signature), ("cursor_slot", str(cursor.slot))],
    )


def _grow_tree(
    connection: sqlite3.Connection, thread: int, leaves: int, account: ThreadAccount, messages: Iterable[MessageAccount]
) -> None:
    added = {
        message.leaf_index: message.content_hash
        for message in messages
        if message.status is MessageStatus.PUBLISHED and message.leaf_index >= leaves
    }
    expected = range(leaves, account.published_count)
    if sorted(added) != list(expected):
        raise IndexDivergedError(
            f"Leaves {leaves} to {account.published_count - 1} of thread {account.thread_id} are expected, "
            f"{len(added)} are there."
        )
    if not expected:
        return
    root = tree.append(connection, thread, leaves, (added[index] for index in expected))
    if root != account.content_root:
        raise IndexDivergedError(f"The tree of thread {account.thread_id} has another root than its account.")
    connection.execute("UPDATE threads SET leaves = ? WHERE number = ?", (account.published_count, thread))


def _seat(connection: sqlite3.Connection, thread: int, account: ThreadAccount) -> None:
    present = {(co_author.key, co_author.joined_sequence) for co_author in account.co_authors}
    seated = set(connection.execute("SELECT key, joined_sequence FROM members WHERE thread = ?", (thread,)).fetchall())
    connection.executemany(
        "DELETE FROM members WHERE key = ? AND thread = ?", [(key, thread) for key, _ in seated - present]
    )
    connection.executemany(
        "INSERT INTO members (key, thread, joined_sequence) VALUES (?, ?, ?)",
        [(key, thread, joined) for key, joined in present - seated],
    )


def _write_message(connection: sqlite3.Connection, thread: int, message: MessageAccount) -> None:
    rows = connection.execute(
        """INSERT INTO messages (content_hash, thread, author, status, sequence, submitted_sequence, submitted_at,
           expires_at, decided_at, share, escrow_remaining) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (content_hash) DO UPDATE SET status = excluded.status, sequence = excluded.sequence,
           submitted_sequence = excluded.submitted_sequence, submitted_at = excluded.submitted_at,
           expires_at = excluded.expires_at, decided_at = excluded.decided_at, share = excluded.share,
           escrow_remaining = excluded.escrow_remaining WHERE excluded.sequence > messages.sequence RETURNING number""",
        (
            message.content_hash, thread, message.author, message.status.value, message.sequence,
            message.submitted_sequence, message.submitted_at, message.expires_at, message.decided_at,
            signed(message.share), signed(message.escrow_remaining),
        ),
    ).fetchall()  # fmt: skip
    if rows:
        connection.executemany(
            """INSERT INTO votes (message, voter, approve, claimed) VALUES (?, ?, ?, ?)
               ON CONFLICT (message, voter) DO UPDATE SET claimed = excluded.claimed""",
            [(rows[0][0], vote.voter, vote.approve, vote.claimed) for vote in message.votes],
        )
