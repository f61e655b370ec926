"""The event log: one row per event, ascending by (sequence, ordinal) along each thread.

That pair alone tells a subscriber's place, in this log, a rebuilt one or another replica's; the position within the
file is only its address here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from chorale.domain.events import EventBatch, EventKind, EventPosition, LoggedEvent, NewEvent
from chorale.domain.projection import LoggedTransaction
from datasources.damage import known
from datasources.index.integers import signed, unsigned

SERVER_ORDINAL = 256
"""First ordinal of the events that the server makes itself: behind the program's own, which are bytes."""

_INSERT = """INSERT INTO events (thread, sequence, ordinal, kind, slot, occurred_at, signature, content_hash, actor,
    approve, amount, detail, subject, occurrence, threads) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_COLUMNS = """position, kind, sequence, ordinal, slot, occurred_at, signature, content_hash, actor, approve, amount,
    detail"""


def insert(connection: sqlite3.Connection, thread: int, events: Iterable[NewEvent]) -> None:
    """Log events of the chain; those that are there already stay as they are."""
    connection.executemany(
        f"{_INSERT} ON CONFLICT (thread, sequence, ordinal) DO NOTHING",
        [_row(thread, event, event.sequence, event.ordinal) for event in events],
    )


def append(connection: sqlite3.Connection, log_id: str, thread: int, event: NewEvent) -> LoggedEvent | None:
    """Log an event of the server behind everything else; None where it is there already."""
    if event.subject is None:
        raise ValueError(f"A {event.kind} that the server makes needs a subject.")
    sequence, ordinal = connection.execute(
        """SELECT t.sequence, coalesce(max(e.ordinal) + 1, 0) FROM threads t
           LEFT JOIN events e ON e.thread = t.number AND e.sequence = t.sequence WHERE t.number = ?""",
        (thread,),
    ).fetchone()
    ordinal = max(ordinal, SERVER_ORDINAL)
    rows = connection.execute(
        f"""{_INSERT} ON CONFLICT (kind, subject, occurrence) WHERE subject IS NOT NULL DO NOTHING
            RETURNING {_COLUMNS}""",
        _row(thread, event, sequence, ordinal),
    ).fetchall()
    return _event(log_id, event.thread_id, rows[0]) if rows else None


def latest(connection: sqlite3.Connection, log_id: str, thread_id: str) -> EventPosition:
    """The end of a thread's log; all zero where nothing is logged."""
    rows = connection.execute(
        """SELECT position, sequence, ordinal FROM events WHERE thread = (SELECT number FROM threads WHERE
           thread_id = ?) ORDER BY sequence DESC, ordinal DESC LIMIT 1""",
        (thread_id,),
    ).fetchall()
    position, sequence, ordinal = rows[0] if rows else (0, 0, 0)
    return EventPosition(log_id, position, thread_id, sequence, ordinal)


def cut_of(thread_id: str) -> str:
    """Subject of the Gaps that stand where a thread's log was cut."""
    return f"cut {thread_id}"


def after(connection: sqlite3.Connection, log_id: str, place: EventPosition, limit: int) -> EventBatch:
    """Events behind a place of any log. A place ahead of this log keeps, until the log has passed it; one in a stretch
    that was cut off this log since goes on at the Gap that stands there."""
    if place.log_id == log_id:
        place = _before_cut(connection, place)
    rows = connection.execute(
        f"""SELECT {_COLUMNS} FROM events WHERE thread = (SELECT number FROM threads WHERE thread_id = ?)
            AND (sequence, ordinal) > (?, ?) ORDER BY sequence, ordinal LIMIT ?""",  # noqa: S608 -- made of constants
        (place.thread_id, place.sequence, place.ordinal, limit),
    ).fetchall()
    if not rows:
        return EventBatch((), place)
    logged = [_event(log_id, place.thread_id, row) for row in rows]
    last = logged[-1]
    # Every sequence of a thread logs something, so a leap means that history is gone; a logged Gap says so itself.
    leap = logged[0].sequence > place.sequence + 1 and logged[0].kind is not EventKind.GAP
    return EventBatch(
        # Sweeps are told among the treasury's flows.
        tuple(event for event in logged if event.kind is not EventKind.SWEPT),
        EventPosition(log_id, last.position, place.thread_id, last.sequence, last.ordinal),
        "TRIMMED" if leap else None,
        len(rows) == limit,
    )


def signatures(connection: sqlite3.Connection, thread_id: str, up_to: int, limit: int) -> list[tuple[int, str, int]]:
    """(sequence, signature, slot) of a thread's newest transactions up to a sequence, newest first."""
    return connection.execute(
        """SELECT DISTINCT sequence, signature, slot FROM events WHERE thread = (SELECT number FROM threads WHERE
           thread_id = ?) AND sequence <= ? AND subject IS NULL AND signature IS NOT NULL
           ORDER BY sequence DESC LIMIT ?""",
        (thread_id, up_to, limit),
    ).fetchall()


def of_signature(connection: sqlite3.Connection, log_id: str, thread_id: str, signature: str) -> EventPosition | None:
    """The place behind a transaction's last event in a thread; None where it has none."""
    rows = connection.execute(
        """SELECT position, sequence, ordinal FROM events WHERE signature = ? AND subject IS NULL AND thread =
           (SELECT number FROM threads WHERE thread_id = ?) ORDER BY sequence DESC, ordinal DESC LIMIT 1""",
        (signature, thread_id),
    ).fetchall()
    return EventPosition(log_id, rows[0][0], thread_id, rows[0][1], rows[0][2]) if rows else None


def wholly_logged(connection: sqlite3.Connection, signatures: Sequence[str]) -> list[str]:
    """Of these transactions those whose events stand in the log of every thread that they touched."""
    marks = ",".join("?" * len(signatures))
    rows = connection.execute(
        f"""SELECT signature FROM events WHERE signature IN ({marks}) AND subject IS NULL
            GROUP BY signature HAVING min(threads) > 0 AND count(DISTINCT thread) >= max(threads)""",  # noqa: S608
        tuple(signatures),
    ).fetchall()
    return [row[0] for row in rows]


def newest_signature(connection: sqlite3.Connection, thread: int) -> str | None:
    """Signature of the newest event of the chain in a thread's log."""
    rows = connection.execute(
        """SELECT signature FROM events WHERE thread = ? AND subject IS NULL AND signature IS NOT NULL
           ORDER BY sequence DESC LIMIT 1""",
        (thread,),
    ).fetchall()
    return rows[0][0] if rows else None


def logged(connection: sqlite3.Connection, since: int, limit: int) -> list[LoggedTransaction]:
    """What the newest events name, oldest first."""
    rows = connection.execute(
        """SELECT e.signature, max(e.slot), t.thread_id FROM
           (SELECT * FROM events ORDER BY position DESC LIMIT ?) e JOIN threads t ON t.number = e.thread
           WHERE e.slot > ? AND e.subject IS NULL AND e.signature IS NOT NULL
           GROUP BY e.thread, e.signature ORDER BY max(e.slot), max(e.position)""",
        (limit, since),
    ).fetchall()
    return [LoggedTransaction(*row) for row in rows]


def _before_cut(connection: sqlite3.Connection, place: EventPosition) -> EventPosition:
    rows = connection.execute(
        """SELECT sequence, ordinal FROM events WHERE kind = ? AND subject = ? AND position > ?
           AND (sequence, ordinal) < (?, ?) ORDER BY sequence, ordinal LIMIT 1""",
        (EventKind.GAP, cut_of(place.thread_id), place.position, place.sequence, place.ordinal),
    ).fetchall()
    if not rows:
        return place
    return EventPosition(place.log_id, place.position, place.thread_id, rows[0][0], rows[0][1] - 1)


def _row(thread: int, event: NewEvent, sequence: int, ordinal: int) -> tuple[int | str | None, ...]:
    return (
        thread, sequence, ordinal, event.kind, event.slot, event.occurred_at, event.signature, event.content_hash,
        event.actor, event.approve, None if event.amount is None else signed(event.amount), event.detail, event.subject,
        event.occurrence, event.threads,
    )  # fmt: skip


def _event(
    log_id: str, thread_id: str, row: tuple[int, str, int, int, int, int, str, str, str, int, int, str]
) -> LoggedEvent:
    position, kind, sequence, ordinal, slot, occurred_at, signature, content_hash, actor, approve, amount, detail = row
    return LoggedEvent(
        log_id, position, known(EventKind, kind), thread_id, sequence, ordinal, slot, occurred_at, signature,
        content_hash, actor, None if approve is None else bool(approve), None if amount is None else unsigned(amount),
        detail,
    )  # fmt: skip
