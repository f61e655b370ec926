"""The measures of the boundaries: what the spine reports, and what operators read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chorale.domain.conflict import ConflictKind, Settlement
from chorale.domain.updates import Outcome


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution: how many there were in all, and the 50th and 99th percentile of the newest of them in seconds (0
    where there was none)."""

    count: int
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class MeasuresNow:
    """The seed's measures and those beside them, since the process started.

    `conflict_rate` is conflicts per hour over the last hour; `recovery_success` the part (0 to 1) of conflicts that
    were RESOLVED or CLIENT_TOLD of these and the FAILED together, None before the first. What waits for bytes, and what
    was only reported, is no attempt and counts in neither."""

    state_sync_delay: Spread
    propagation_time: Spread
    conflict_rate: dict[ConflictKind, float]
    conflicts: dict[ConflictKind, int]
    recovery_success: float | None
    watcher_lag_slots: int
    cache_hits: dict[str, int]
    cache_misses: dict[str, int]
    queue_depths: dict[str, int]


class Measures(Protocol):
    """Where the spine reports to; costs next to nothing and never fails."""

    def state_synced(self, seconds: float) -> None:
        """A change on chain was in derived state this long after its block's time or its notification, whichever is
        known better (the watcher says which)."""

    def propagated(self, seconds: float) -> None:
        """Step 3 of an update took so long."""

    def conflicted(self, kind: ConflictKind, settlement: Settlement) -> None:
        """A conflict was met and settled so."""

    def watcher_lag(self, slots: int) -> None:
        """How far derived state is behind the chain's confirmed slot."""

    def cache_read(self, entity: str, *, hits: int, misses: int) -> None:
        """Reads of the cache; `entity` is "thread", "message" or "user"."""

    def queue_depth(self, queue: str, depth: int) -> None:
        """How many wait in a bounded queue now: "inbox", "lanes", "settling", "announcements" …"""

    def updated(self, outcome: Outcome) -> None:
        """An update has come to this outcome; CONFIRMED and UNKNOWN may be followed by another."""

    def operated(self, kind: str, result: str, seconds: float | None) -> None:
        """An operation of `kind` "query", "mutation" or "subscription" ended with `result` "ok" or "errors", or one
        of kind "none" was "refused" and not executed; None where its duration says nothing."""

    def opened(self, what: str, change: int) -> None:
        """One more (1) or one less (-1) "connection" or "subscription" is open."""

    def now(self) -> MeasuresNow:
        """All of them."""
