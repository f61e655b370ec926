"""What the keeper shows of itself: where it stands, and counters by instruction since it was started."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from chorale.keeping.duties import Duty
from chorale.keeping.errand import Ending, Result


class KeeperState(StrEnum):
    """Whether the keeper acts, and why not."""

    RUNNING = "RUNNING"
    OUT_OF_FUNDS = "OUT_OF_FUNDS"
    OUT_OF_BUDGET = "OUT_OF_BUDGET"
    STALLED = "STALLED"
    STOPPED = "STOPPED"


@dataclass(slots=True)
class Count:
    """How often: sent, and of these confirmed, failed on chain, unknown so far; refused before it could land; skipped,
    since others had it in hand or had done it, it could not be paid out, or lamports were lacking. `lamports` is what
    it cost."""

    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    unknown: int = 0
    refused: int = 0
    skipped: int = 0
    lamports: int = 0

    def add(self, result: Result) -> None:
        """One more ending."""
        self.sent += bool(result.signature)
        self.lamports += result.lamports
        self.confirmed += result.ending is Ending.CONFIRMED
        self.failed += result.ending is Ending.FAILED
        self.unknown += result.ending is Ending.UNKNOWN
        self.refused += result.ending is Ending.REFUSED
        self.skipped += result.ending in (Ending.OVERTAKEN, Ending.TAKEN, Ending.BLOCKED, Ending.UNPAID)


@dataclass(frozen=True, slots=True)
class KeeperReport:
    """One moment. Times in unix s: `last_pass` by this machine's clock, `next_due` by the cluster's."""

    address: str
    lamports: int
    state: KeeperState
    budget: int
    spent: int
    pending: int
    last_pass: int | None
    next_due: int | None
    counts: dict[Duty, Count]
    last_error: str | None


@dataclass(slots=True)
class Tally:
    """The counters as they grow."""

    counts: dict[Duty, Count] = field(default_factory=lambda: {duty: Count() for duty in Duty})
    pending: int = 0
    last_pass: int | None = None
    next_due: int | None = None
    last_error: str | None = None

    def copy_of_counts(self) -> dict[Duty, Count]:
        """The counters of this moment."""
        return {duty: replace(count) for duty, count in self.counts.items()}
