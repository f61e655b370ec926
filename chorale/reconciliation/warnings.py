"""Conflicts in the server's own log: each cause has its say, and how often it would have had more is one line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from chorale.domain.conflict import ConflictCause, ConflictRecord

_log = logging.getLogger(__name__)

MINUTE = 60.0  # s


@dataclass(slots=True)
class _Minute:
    """Since when a cause is counted, and how many of its warnings were made and held back since then."""

    began: float
    made: int = 0
    held: int = 0


class Warnings:
    """At most `most` warnings a minute of each cause. Counters and the log of conflicts miss nothing by it."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._minutes: dict[ConflictCause, _Minute] = {}

    def warn(self, record: ConflictRecord) -> None:
        """Say what was found and what became of it, or count it."""
        conflict = record.conflict
        self.sum_up()
        minute = self._minutes.setdefault(conflict.cause, _Minute(self._clock()))
        if minute.made >= self._most:
            minute.held += 1
            return
        minute.made += 1
        _log.warning(
            "%s %s: expected %s, found %s; %s: %s",
            conflict.cause, conflict.subject, conflict.expected, conflict.found, record.settlement, record.action,
        )  # fmt: skip

    def sum_up(self) -> None:
        """Close the minutes that are over, and say of each how many warnings it held back."""
        now = self._clock()
        for cause, minute in list(self._minutes.items()):
            if now - minute.began < MINUTE:
                continue
            del self._minutes[cause]
            if minute.held:
                _log.warning(
                    "%s: %d more within a minute were not said one by one; `boundaryConflicts` has the newest.",
                    cause, minute.held,
                )  # fmt: skip
