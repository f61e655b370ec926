"""From the program's events to those of the log."""

from __future__ import annotations

from collections.abc import Iterable

from chorale.domain.accounts import StatusByte, ThreadAccount
from chorale.domain.events import EventKind, NewEvent, ProgramEvent, TransactionRecord
from chorale.projection.thread_history import ThreadHistory
from chorale.projection.thread_names import touched_by

_GAP_ORDINAL = 255

_KINDS = {
    "ThreadCreated": EventKind.THREAD_CREATED,
    "MessagePosted": EventKind.MESSAGE_PUBLISHED,
    "MessageSubmitted": EventKind.MESSAGE_SUBMITTED,
    "VoteCast": EventKind.VOTE_CAST,
    "MessageCancelled": EventKind.MESSAGE_CANCELLED,
    "MessageExpired": EventKind.MESSAGE_EXPIRED,
    "StakeRefunded": EventKind.STAKE_REFUNDED,
    "EscrowClaimed": EventKind.ESCROW_CLAIMED,
    "CoAuthorJoined": EventKind.CO_AUTHOR_JOINED,
    "CoAuthorLeft": EventKind.CO_AUTHOR_LEFT,
    "Swept": EventKind.SWEPT,
}
_ACTORS = ("creator", "author", "voter", "key")
_AMOUNTS = ("stake", "amount", "share")


def events_up_to(thread: ThreadAccount, slot: int, history: ThreadHistory) -> tuple[NewEvent, ...]:
    """What a thread of this version, read at `slot`, adds to the log, ascending by (sequence, ordinal), with a Gap
    where history is gone."""
    events = [
        _logged(thread.thread_id, event, record)
        for event, record in history.events()
        if event.sequence <= thread.sequence
    ]
    events += [
        NewEvent(
            EventKind.GAP, thread.thread_id, sequence, _GAP_ORDINAL, slot, thread.activity_at, None, detail="TRIMMED"
        )
        for sequence in history.holes(thread.sequence)
    ]
    return tuple(sorted(events, key=lambda event: (event.sequence, event.ordinal)))


def _logged(thread_id: str, event: ProgramEvent, record: TransactionRecord) -> NewEvent:
    kind, detail = _KINDS.get(event.name), None
    if kind is None:  # MessageDecided: subscribers know a publication by one name, however it came about
        status = StatusByte(_first_int(event, ("status",)) or 0)
        kind = EventKind.MESSAGE_PUBLISHED if status is StatusByte.PUBLISHED else EventKind.MESSAGE_DECIDED
        detail = status.name
    content_hash = event.fields.get("content_hash")
    approve = event.fields.get("approve")
    return NewEvent(
        kind,
        thread_id,
        event.sequence,
        event.ordinal,
        record.slot,
        record.block_time,
        record.signature,
        content_hash=None if content_hash is None else str(content_hash),
        actor=next((str(event.fields[name]) for name in _ACTORS if name in event.fields), None),
        approve=None if approve is None else bool(approve),
        amount=_first_int(event, _AMOUNTS),
        detail=detail,
        threads=0 if record.logs_cut else len(touched_by(record)),
    )


def _first_int(event: ProgramEvent, names: Iterable[str]) -> int | None:
    return next((int(event.fields[name]) for name in names if name in event.fields), None)
