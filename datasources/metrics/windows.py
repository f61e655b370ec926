"""What a moment's measures are taken from: the newest durations, and an hour of counts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from chorale.domain.measures import Spread

_MINUTES = 60


class Durations:
    """The newest `size` durations in seconds, and how many there were in all."""

    def __init__(self, size: int) -> None:
        self._newest: deque[float] = deque(maxlen=size)
        self._count = 0

    def add(self, seconds: float) -> None:
        """One more."""
        self._newest.append(seconds)
        self._count += 1

    def spread(self) -> Spread:
        """`count` of all there were, percentiles (nearest rank) of the newest."""
        ordered = sorted(self._newest)
        return Spread(self._count, _percentile(ordered, 50), _percentile(ordered, 99))


class LastHour:
    """Counts what happened in the last sixty minutes, by a ring of minutes; `now` in seconds, never running back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._counts = [0] * _MINUTES
        self._minute = self._current()

    def add(self) -> None:
        """It happened now."""
        self._turn()
        self._counts[self._minute % _MINUTES] += 1

    @property
    def count(self) -> int:
        """How often, in this minute and the 59 before it."""
        self._turn()
        return sum(self._counts)

    def _turn(self) -> None:
        minute = self._current()
        for passed in range(self._minute + 1, min(minute, self._minute + _MINUTES) + 1):
            self._counts[passed % _MINUTES] = 0
        self._minute = minute

    def _current(self) -> int:
        return int(self._now() // 60)


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else 0.0
