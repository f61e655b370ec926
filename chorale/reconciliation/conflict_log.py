"""The newest conflicts, in memory, for operators."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Collection, Sequence
from itertools import islice

from chorale.domain.conflict import Conflict, ConflictKind, ConflictRecord, Settlement
from chorale.reconciliation.fair_share import FairShare


class ConflictLog:
    """Bounded by kind, and shared fairly by the threads in it: no flood of one kind or of one thread, which clients
    could cause, pushes out the others. Numbers ascend and never come again within one process, whose log has this
    `id`."""

    def __init__(self, size: int) -> None:
        self.id = secrets.token_hex(8)
        self._records: dict[ConflictKind, FairShare[int, ConflictRecord]] = {
            kind: FairShare(size) for kind in ConflictKind
        }
        self._number = 0

    def add(
        self, conflict: Conflict, settlement: Settlement, *, at: float, action: str, seconds: float
    ) -> ConflictRecord:
        """Log one; `at` in unix seconds."""
        self._number += 1
        record = ConflictRecord(self._number, at, conflict, settlement, action, seconds)
        self._records[conflict.kind].put(record.number, conflict.lane, record)
        return record

    def before(self, number: int | None, limit: int, kinds: Collection[ConflictKind] = ()) -> Sequence[ConflictRecord]:
        """Newest first, those numbered below `number` (None: all), of the given kinds (none given: all)."""
        newest_first = (self._records[kind].newest_first() for kind in kinds or ConflictKind)
        merged = heapq.merge(*newest_first, key=lambda record: -record.number)
        return list(islice((record for record in merged if number is None or record.number < number), limit))
