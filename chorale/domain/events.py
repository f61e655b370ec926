"""What happened on chain (`ProgramEvent`), and what the index's log tells subscribers (`LoggedEvent`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from chorale.domain.chain import AccountChange, SlotTick

BEHIND_VERSION = 2**31 - 1
"""An ordinal behind every event of one version: the place of a snapshot whose thread has moved on since."""


class EventKind(StrEnum):
    """Types of events in the log; the first eleven come from the program, the rest the server makes itself."""

    THREAD_CREATED = "ThreadCreated"
    MESSAGE_SUBMITTED = "MessageSubmitted"
    VOTE_CAST = "VoteCast"
    MESSAGE_PUBLISHED = "MessagePublished"
    MESSAGE_DECIDED = "MessageDecided"
    MESSAGE_CANCELLED = "MessageCancelled"
    MESSAGE_EXPIRED = "MessageExpired"
    ESCROW_CLAIMED = "EscrowClaimed"
    STAKE_REFUNDED = "StakeRefunded"
    CO_AUTHOR_JOINED = "CoAuthorJoined"
    CO_AUTHOR_LEFT = "CoAuthorLeft"
    SWEPT = "Swept"
    CONTENT_RESTORED = "ContentRestored"
    UPDATE_VERIFIED = "UpdateVerified"
    UPDATE_DIVERGED = "UpdateDiverged"
    GAP = "Gap"


@dataclass(frozen=True, slots=True)
class ProgramEvent:
    """One event as the program logged it. `name` is the IDL's, `fields` all but thread, sequence and ordinal.

    Field values: keys base58 `str`, hashes hex `str`, integers `int`, booleans `bool`.
    """

    name: str
    thread: str
    sequence: int
    ordinal: int
    fields: dict[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """One landed transaction that ran the program: where and when, and the events it logged.

    `logs_cut` is true where the runtime truncated the log: the accounts must then be read again. `logs` are kept of a
    transaction that failed, for whoever sent it.
    """

    signature: str
    slot: int
    block_time: int
    succeeded: bool
    events: tuple[ProgramEvent, ...]
    logs_cut: bool = False
    logs: tuple[str, ...] = ()


FeedItem: TypeAlias = TransactionRecord | AccountChange | SlotTick
"""What a subscription to the chain tells."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of the index's event log, in the order that subscribers see.

    `position` is the row's place in the log `log_id`; a chain event is unique by (thread_id, sequence, ordinal),
    one that the server makes by (kind, subject, occurrence).
    """

    log_id: str
    position: int
    kind: EventKind
    thread_id: str
    sequence: int
    ordinal: int
    slot: int
    occurred_at: int
    signature: str | None
    content_hash: str | None = None
    actor: str | None = None
    approve: bool | None = None
    amount: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way into the log; the index gives it log id and position.

    `subject` and `occurrence` identify events that no chain event stands for (signature and attempt, say). `threads` is
    how many threads its transaction touched, 0 where a cut log does not tell.
    """

    kind: EventKind
    thread_id: str
    sequence: int
    ordinal: int
    slot: int
    occurred_at: int
    signature: str | None
    content_hash: str | None = None
    actor: str | None = None
    approve: bool | None = None
    amount: int | None = None
    detail: str | None = None
    subject: str | None = None
    occurrence: int = 0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class EventPosition:
    """A subscriber's place: what an event cursor carries."""

    log_id: str
    position: int
    thread_id: str
    sequence: int
    ordinal: int


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events after a place, oldest first. `gap` names a reason where history before them is gone; with `more`, there
    may be more behind them by now."""

    events: tuple[LoggedEvent, ...]
    position: EventPosition
    gap: str | None = field(default=None)
    more: bool = False
