"""What the one writer of derived state hands to the index, and what it hears back."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.chain import AccountData
from chorale.domain.events import EventPosition, NewEvent


@dataclass(frozen=True, slots=True)
class ChainCursor:
    """The newest transaction of the program before which nothing is left to settle."""

    signature: str
    slot: int


@dataclass(frozen=True, slots=True)
class LoggedTransaction:
    """A transaction as a thread's log names it, with the slot that it was seen in."""

    signature: str
    slot: int
    thread_id: str


@dataclass(frozen=True, slots=True)
class CatchUp:
    """How far derived state has come with what it missed: `done` of `total` changes (threads that lagged, or
    transactions that were missed), and whether that has ended. `left` are threads that could not be settled and are
    tried again regularly; they hold nothing up."""

    total: int = 0
    done: int = 0
    left: int = 0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Projection:
    """One change of one thread, committed as a whole.

    `messages` are those that changed since the indexed sequence, none newer than `thread`; `events` ascend by
    (sequence, ordinal). `replace` says that `messages` are all of the thread's, so that its tree is built anew. `since`
    is the sequence that it goes on from: where the rows have been made older meanwhile, it would leave a hole.
    `accounts` are those of thread and messages as they were read.
    """

    thread: ThreadAccount
    slot: int
    messages: tuple[MessageAccount, ...] = ()
    events: tuple[NewEvent, ...] = ()
    cursor: ChainCursor | None = None
    replace: bool = False
    since: int = 0
    accounts: tuple[AccountData, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadCorrection:
    """What a finalized read says of a thread whose rows say something else, written only while they stand at the
    sequence `found`. `whole` replaces everything of the thread; None where the chain has no such thread.

    Events above `keep` go. Where they are `lost`, of a history that the chain does not have, a Gap tells subscribers;
    otherwise they come again with the next look at the thread.
    """

    thread_id: str
    found: int
    keep: int
    lost: bool
    whole: Projection | None


@dataclass(frozen=True, slots=True)
class ThreadProgress:
    """How far the index has come with a thread: sequence, slot of that read, leaves of its tree, the newest logged
    signature. All zero or None where the thread is unknown."""

    sequence: int = 0
    slot: int = 0
    leaves: int = 0
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """The index's answer to "has this arrived?": its sequence, the slot of that read, and the place behind it."""

    sequence: int
    slot: int
    position: EventPosition


@dataclass(frozen=True, slots=True)
class IndexCensus:
    """Rows in the index: threads, messages with an account, staged messages."""

    threads: int
    messages: int
    staged: int


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """What lists say of a message; `votes` holds (voter, approve, claimed), amounts are in base units."""

    sequence: int
    status: MessageStatus
    decided_at: int
    share: int
    escrow_remaining: int
    votes: frozenset[tuple[str, bool, bool]]


@dataclass(frozen=True, slots=True)
class ListedThread:
    """What lists say of a thread and one of its messages, at one moment; `co_authors` holds (key, joined_sequence)."""

    sequence: int
    co_authors: frozenset[tuple[str, int]]
    message: ListedMessage | None
