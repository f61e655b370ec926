"""The four boundaries: their names, what is announced about them, and what a verification reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from chorale.domain.conflict import ConflictRecord
from chorale.domain.updates import Authority


class BoundaryName(StrEnum):
    """What is checked: each system's state against its authority."""

    SOLANA_STATE = "SOLANA_STATE"
    QDRANT_CONTENT = "QDRANT_CONTENT"
    BACKEND_CACHE = "BACKEND_CACHE"
    FRONTEND_STATE = "FRONTEND_STATE"


class AnnouncementKind(StrEnum):
    """What operators hear of."""

    CONFLICT = "CONFLICT"
    AUTHORITY_DEGRADED = "AUTHORITY_DEGRADED"
    AUTHORITY_LOST = "AUTHORITY_LOST"
    AUTHORITY_RECOVERED = "AUTHORITY_RECOVERED"
    CHAIN_RESET = "CHAIN_RESET"
    CHAIN_FORKED = "CHAIN_FORKED"
    CATCHING_UP = "CATCHING_UP"
    CAUGHT_UP = "CAUGHT_UP"
    LEASE_TAKEN = "LEASE_TAKEN"
    LEASE_LOST = "LEASE_LOST"
    VERIFICATION_STARTED = "VERIFICATION_STARTED"
    VERIFICATION_PROGRESS = "VERIFICATION_PROGRESS"
    VERIFICATION_FINISHED = "VERIFICATION_FINISHED"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing that happened at a boundary. `number` ascends within one process; `at` is unix seconds."""

    number: int
    at: float
    kind: AnnouncementKind
    detail: str
    authority: Authority | None = None
    conflict: ConflictRecord | None = None


@dataclass(frozen=True, slots=True)
class BoundaryFindings:
    """One boundary in one verification, or in all since the start: entities looked at, conflicts found, those healed,
    why it could not be checked to the end ("" where it was), and when it was last looked at (unix s, 0 before)."""

    name: BoundaryName
    checked: int = 0
    conflicts: int = 0
    healed: int = 0
    problem: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """What a verification has found so far. `total` is the number of entities to look at (grows while it is not known),
    times are unix seconds, `finished_at` None while it runs. `records` are the newest conflicts, bounded."""

    number: int
    complete: bool
    repair: bool
    started_at: float
    finished_at: float | None = None
    total: int = 0
    boundaries: tuple[BoundaryFindings, ...] = ()
    records: tuple[ConflictRecord, ...] = field(default=())
