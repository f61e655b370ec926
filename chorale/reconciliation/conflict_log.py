"""The newest conflicts, in memory, for operators."""

from __future__ import annotations

import heapq
import secrets
from collections import deque
from collections.abc import Collection, Sequence
from itertools import islice

from chorale.domain.conflict import Conflict, ConflictKind, ConflictRecord, Settlement


class ConflictLog:
    """Bounded by kind: the oldest of a kind give way, so that no flood of one, which clients could cause, pushes out
    the others. Numbers ascend and never come again within one process, whose log has this `id`."""

    def __init__(self, size: int) -> None:
        self.id = secrets.token_hex(8)
        self._records: dict[ConflictKind, deque[ConflictRecord]] = {kind: deque(maxlen=size) for kind in ConflictKind}
        self._number = 0

    def add(
        self, conflict: Conflict, settlement: Settlement, *, at: float, action: str, seconds: float
    ) -> ConflictRecord:
        """Log one; `at` in unix seconds."""
        self._number += 1
        record = ConflictRecord(self._number, at, conflict, settlement, action, seconds)
        self._records[conflict.kind].append(record)
        return record

    def before(self, number: int | None, limit: int, kinds: Collection[ConflictKind] = ()) -> Sequence[ConflictRecord]:
        """Newest first, those numbered below `number` (None: all), of the given kinds (none given: all)."""
        newest_first = (reversed(self._records[kind]) for kind in kinds or ConflictKind)
        merged = heapq.merge(*newest_first, key=lambda record: -record.number)
        return list(islice((record for record in merged if number is None or record.number < number), limit))
