"""Conflicts between the four systems: what disagrees with its authority, who decides, and what became of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chorale.domain.updates import Authority


class ConflictKind(StrEnum):
    """The four kinds, each with one resolution."""

    OWNERSHIP = "OWNERSHIP"
    CONTENT = "CONTENT"
    CACHE = "CACHE"
    UI = "UI"


AUTHORITY_OF = {
    ConflictKind.OWNERSHIP: Authority.SOLANA,
    ConflictKind.CONTENT: Authority.QDRANT,
    ConflictKind.CACHE: Authority.BACKEND,
    ConflictKind.UI: Authority.FRONTEND,
}
"""Whose resolution applies. A cache is rebuilt from Solana and Qdrant, a client refreshes by itself."""


class ConflictCause(StrEnum):
    """What was found. Each belongs to one kind: see `KIND_OF`."""

    INDEX_BEHIND = "INDEX_BEHIND"  # rows are older than the account
    INDEX_WRONG = "INDEX_WRONG"  # rows of the same or a later version that differ from a finalized account
    PROTOCOL_WRONG = "PROTOCOL_WRONG"  # parameters or flows of the treasury of a branch that the chain has left
    PAYLOAD_BEHIND = "PAYLOAD_BEHIND"  # a point's facts or vectors are older than the account
    PAYLOAD_WRONG = "PAYLOAD_WRONG"  # facts of the same or a later version that differ from a finalized account
    CONTENT_CORRUPT = "CONTENT_CORRUPT"  # stored bytes no longer match their hash
    CONTENT_MISSING = "CONTENT_MISSING"  # a hash on chain without bytes
    CONTENT_ABANDONED = "CONTENT_ABANDONED"  # staged bytes whose transaction can no longer land
    CACHE_STALE = "CACHE_STALE"  # an entry older than its authority
    CACHE_WRONG = "CACHE_WRONG"  # an entry that differs from its authority at the same version
    UI_BEHIND = "UI_BEHIND"  # a client shows a version that is past
    UI_AHEAD = "UI_AHEAD"  # a client shows a version that never existed


KIND_OF = {
    ConflictCause.INDEX_BEHIND: ConflictKind.OWNERSHIP,
    ConflictCause.INDEX_WRONG: ConflictKind.OWNERSHIP,
    ConflictCause.PROTOCOL_WRONG: ConflictKind.OWNERSHIP,
    ConflictCause.PAYLOAD_BEHIND: ConflictKind.OWNERSHIP,
    ConflictCause.PAYLOAD_WRONG: ConflictKind.OWNERSHIP,
    ConflictCause.CONTENT_CORRUPT: ConflictKind.CONTENT,
    ConflictCause.CONTENT_MISSING: ConflictKind.CONTENT,
    ConflictCause.CONTENT_ABANDONED: ConflictKind.CONTENT,
    ConflictCause.CACHE_STALE: ConflictKind.CACHE,
    ConflictCause.CACHE_WRONG: ConflictKind.CACHE,
    ConflictCause.UI_BEHIND: ConflictKind.UI,
    ConflictCause.UI_AHEAD: ConflictKind.UI,
}


OF_ROWS = frozenset({ConflictCause.INDEX_BEHIND, ConflictCause.INDEX_WRONG, ConflictCause.PROTOCOL_WRONG})
"""Of the index's rows; the other causes of OWNERSHIP are of one point's payload."""


class Settlement(StrEnum):
    """What became of a conflict."""

    OPEN = "OPEN"  # reported and left as it is
    RESOLVED = "RESOLVED"  # what differed was written anew from its authority
    QUARANTINED = "QUARANTINED"  # corrupt bytes are kept out of every answer until the right ones are supplied
    AWAITING_CONTENT = "AWAITING_CONTENT"  # nobody has the bytes; whoever has may supply them
    CLIENT_TOLD = "CLIENT_TOLD"  # the client was told to refresh
    FAILED = "FAILED"  # tried and not done; met again by the next check


@dataclass(frozen=True, slots=True)
class Conflict:
    """One disagreement. `subject` is a global id ("Message:<hash>", "Thread:<id>", "User:<address>", "Protocol");
    `thread_id` is "" where no thread is concerned. `expected` is what the authority says, `found` what was there
    instead, both short and without content. `slot` is that of the authority's read (0 where none was needed)."""

    cause: ConflictCause
    subject: str
    thread_id: str
    expected: str
    found: str
    slot: int = 0
    sequence: int = 0

    @property
    def kind(self) -> ConflictKind:
        """One of the four."""
        return KIND_OF[self.cause]

    @property
    def lane(self) -> str:
        """What is settled one conflict after another: the thread, or where none is concerned the subject."""
        return self.thread_id or self.subject

    @property
    def authority(self) -> Authority:
        """Who decides it."""
        return AUTHORITY_OF[self.kind]


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """A conflict in the log. `number` ascends within one process; `at` is unix seconds; `action` says what was done, in
    a sentence; `seconds` how long that took."""

    number: int
    at: float
    conflict: Conflict
    settlement: Settlement
    action: str
    seconds: float
