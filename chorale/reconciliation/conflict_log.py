"""The newest conflicts, in memory, for operators."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection, Sequence

from chorale.domain.conflict import Conflict, ConflictKind, ConflictRecord, Settlement


class ConflictLog:
    """Bounded: the oldest give way. Numbers ascend and never come again within one process, whose log has this `id`."""

    def __init__(self, size: int) -> None:
        self.id = secrets.token_hex(8)
        self._records: deque[ConflictRecord] = deque(maxlen=size)
        self._number = 0

    def add(
        self, conflict: Conflict, settlement: Settlement, *, at: float, action: str, seconds: float
    ) -> ConflictRecord:
        """Log one; `at` in unix seconds."""
        self._number += 1
        record = ConflictRecord(self._number, at, conflict, settlement, action, seconds)
        self._records.append(record)
        return record

    def before(self, number: int | None, limit: int, kinds: Collection[ConflictKind] = ()) -> Sequence[ConflictRecord]:
        """Newest first, those numbered below `number` (None: all), of the given kinds (none given: all)."""
        found = []
        for record in reversed(self._records):
            if (number is None or record.number < number) and (not kinds or record.conflict.kind in kinds):
                found.append(record)
                if len(found) == limit:
                    break
        return found
