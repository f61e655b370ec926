"""Making rows older: what a finalized read says takes the place of everything that the index holds of a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chorale.domain.events import EventKind, NewEvent
from chorale.domain.projection import Projection, ThreadCorrection
from datasources.index import log, writes

_CHUNK = 500


def correct(connection: sqlite3.Connection, log_id: str, correction: ThreadCorrection) -> Sequence[str] | None:
    """See Index. Runs inside a transaction of its caller. Raises IndexDivergedError."""
    row = connection.execute(
        "SELECT number FROM threads WHERE thread_id = ? AND sequence = ?", (correction.thread_id, correction.found)
    ).fetchone()
    if row is None:
        return None
    [thread] = row
    whole = correction.whole
    lost = [
        content_hash
        for (content_hash,) in connection.execute(
            "SELECT content_hash FROM messages WHERE thread = ? AND status <> 'STAGED' AND sequence > ? AND ?",
            (thread, correction.keep, correction.lost),
        ).fetchall()
    ]
    _clear(connection, thread, [] if whole is None else [message.content_hash for message in whole.messages])
    _forget_events(connection, thread, correction)
    if whole is not None:
        writes.apply(connection, whole)
        if correction.lost:
            log.append(connection, log_id, thread, _gap(connection, whole))
    return lost


def _clear(connection: sqlite3.Connection, thread: int, content_hashes: Sequence[str]) -> None:
    connection.execute(
        "UPDATE threads SET sequence = 0, slot = 0, activity_at = 0, leaves = 0, address = NULL WHERE number = ?",
        (thread,),
    )
    for table in ("members", "nodes"):
        connection.execute(f"DELETE FROM {table} WHERE thread = ?", (thread,))  # noqa: S608 -- of the two above
    connection.execute("DELETE FROM votes WHERE message IN (SELECT number FROM messages WHERE thread = ?)", (thread,))
    connection.execute("DELETE FROM messages WHERE thread = ? AND status <> 'STAGED'", (thread,))
    for at in range(0, len(content_hashes), _CHUNK):  # rows that claim to be another thread's
        part = content_hashes[at : at + _CHUNK]
        marks = ",".join("?" * len(part))
        connection.execute(
            f"DELETE FROM votes WHERE message IN (SELECT number FROM messages WHERE content_hash IN ({marks}))",  # noqa: S608 -- only marks
            part,
        )
        connection.execute(f"DELETE FROM messages WHERE content_hash IN ({marks})", part)  # noqa: S608 -- only marks


def _forget_events(connection: sqlite3.Connection, thread: int, correction: ThreadCorrection) -> None:
    """Events above `keep`, and with what is lost those that the server made of it; sums over them shrink along."""
    above = (thread, correction.keep)
    connection.execute(
        """UPDATE flow_sums SET
             high = high - (SELECT coalesce(sum(amount >> 32 & 4294967295), 0) FROM events
                            WHERE thread = ? AND sequence > ? AND kind = 'Swept' AND amount IS NOT NULL),
             low = low - (SELECT coalesce(sum(amount & 4294967295), 0) FROM events
                          WHERE thread = ? AND sequence > ? AND kind = 'Swept' AND amount IS NOT NULL)
           WHERE kind = 'SWEPT'""",
        (*above, *above),
    )
    connection.execute(
        "DELETE FROM events WHERE thread = ? AND sequence > ? AND (subject IS NULL OR ?)", (*above, correction.lost)
    )


def _gap(connection: sqlite3.Connection, whole: Projection) -> NewEvent:
    """Tells subscribers to fetch again; `log.after` brings those back to it who have read what is gone."""
    account = whole.thread
    [(occurrence,)] = connection.execute(
        "SELECT coalesce(max(occurrence), 0) + 1 FROM events WHERE kind = ? AND subject = ?",
        (EventKind.GAP, log.cut_of(account.thread_id)),
    ).fetchall()
    return NewEvent(
        EventKind.GAP, account.thread_id, account.sequence, 0, whole.slot, account.activity_at, None,
        detail="CHAIN_RESET", subject=log.cut_of(account.thread_id), occurrence=occurrence,
    )  # fmt: skip
