"""Conflicts that stay: met again and again until somebody supplies the bytes, and yet one occurrence each."""

from __future__ import annotations

import time

from chorale.domain.conflict import Conflict, ConflictCause, ConflictRecord, Settlement
from chorale.reconciliation.fair_share import FairShare

_FRESH = 5.0  # s

Name = tuple[ConflictCause, str]


def name_of(conflict: Conflict) -> Name:
    """What tells one conflict from another, whoever found it and whatever it saw."""
    return conflict.cause, conflict.subject


class OpenConflicts:
    """`size` conflicts that are not over, with their records, shared fairly by threads: what is pushed out counts as
    new when it is met again, so no thread may push out those of others."""

    def __init__(self, size: int) -> None:
        self._records: FairShare[Name, ConflictRecord] = FairShare(size)
        self._looked_at: dict[Name, float] = {}

    def of(self, conflict: Conflict) -> ConflictRecord | None:
        """The record of the occurrence that a conflict belongs to; None where it is a new one."""
        return self._records.get(name_of(conflict))

    def same(self, conflict: Conflict, settlement: Settlement) -> ConflictRecord | None:
        """The record that says this already: the same conflict, seen in the same way, and settled so."""
        record = self.of(conflict)
        if record is None or record.settlement is not settlement:
            return None
        seen = (record.conflict.expected, record.conflict.found)
        return record if _is_lasting(settlement) or seen == (conflict.expected, conflict.found) else None

    def is_fresh(self, conflict: Conflict) -> bool:
        """Whether it waits for bytes and has been looked at just now."""
        record = self.of(conflict)
        if record is None or not _is_lasting(record.settlement):
            return False
        return time.monotonic() - self._looked_at[name_of(conflict)] < _FRESH

    def note(self, record: ConflictRecord) -> None:
        """Remember it, or forget it where it is over."""
        name = name_of(record.conflict)
        self._records.pop(name)
        self._looked_at.pop(name, None)
        if record.settlement in (Settlement.RESOLVED, Settlement.CLIENT_TOLD):
            return
        self._looked_at[name] = time.monotonic()
        gone = self._records.put(name, record.conflict.lane, record)
        if gone is not None:
            del self._looked_at[gone]

    def waiting(self, subject: str | None = None) -> list[Conflict]:
        """Those that wait for bytes: all, or a message's or title's."""
        return [
            record.conflict
            for record in self._records.oldest_first()
            if _is_lasting(record.settlement) and subject in (None, record.conflict.subject)
        ]


def _is_lasting(settlement: Settlement) -> bool:
    return settlement in (Settlement.QUARANTINED, Settlement.AWAITING_CONTENT)
