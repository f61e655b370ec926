"""What the lists hold of one thread and one of its messages: for comparing with the accounts."""

from __future__ import annotations

import sqlite3

from chorale.domain.approval import MessageStatus
from chorale.domain.projection import ListedMessage, ListedThread
from datasources.damage import known
from datasources.index.integers import unsigned


def listed(connection: sqlite3.Connection, thread_id: str, content_hash: str | None) -> ListedThread | None:
    """Rows of a thread and its message; None where the thread's account is not indexed."""
    thread = connection.execute(
        "SELECT number, sequence FROM threads WHERE thread_id = ? AND sequence > 0", (thread_id,)
    ).fetchone()
    if thread is None:
        return None
    number, sequence = thread
    seats = connection.execute("SELECT key, joined_sequence FROM members WHERE thread = ?", (number,)).fetchall()
    message = None if content_hash is None else _message(connection, number, content_hash)
    return ListedThread(sequence, frozenset(seats), message)


def thread_of(connection: sqlite3.Connection, content_hash: str) -> tuple[str, MessageStatus] | None:
    """Which thread a message is of, and its status."""
    rows = connection.execute(
        "SELECT t.thread_id, m.status FROM messages m JOIN threads t ON t.number = m.thread WHERE m.content_hash = ?",
        (content_hash,),
    ).fetchall()
    return (rows[0][0], known(MessageStatus, rows[0][1])) if rows else None


def _message(connection: sqlite3.Connection, thread: int, content_hash: str) -> ListedMessage | None:
    row = connection.execute(
        """SELECT number, sequence, status, decided_at, share, escrow_remaining FROM messages
           WHERE content_hash = ? AND thread = ?""",
        (content_hash, thread),
    ).fetchone()
    if row is None:
        return None
    number, sequence, status, decided_at, share, escrow = row
    votes = connection.execute("SELECT voter, approve, claimed FROM votes WHERE message = ?", (number,)).fetchall()
    return ListedMessage(
        sequence=sequence,
        status=known(MessageStatus, status),
        decided_at=decided_at,
        share=unsigned(share),
        escrow_remaining=unsigned(escrow),
        votes=frozenset((voter, bool(approve), bool(claimed)) for voter, approve, claimed in votes),
    )
