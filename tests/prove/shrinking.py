"""The fewest steps that still end in a difference: steps are left out in ever smaller groups while it remains."""

from __future__ import annotations

import time

from tests.prove.pick import Pick
from tests.prove.profiles import Profile
from tests.prove.scene import Difference
from tests.prove.walk import Walk

SHRINKING_TAKES = 60.0  # seconds at most

Tapes = list[list[int]]
"""What was chosen, by step."""


class Recorder:
    """Passes choices on and keeps them."""

    def __init__(self, source: Pick) -> None:
        self._source = source
        self.tapes: Tapes = []

    def next_step(self) -> None:
        """What follows belongs to another step."""
        self.tapes.append([])

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        number = self._source.below(count)
        self.tapes[-1].append(number)
        return number


class Replay:
    """The choices of one step again, as far as they fit what there is to choose from now."""

    def __init__(self, tape: list[int]) -> None:
        self._numbers = iter(tape)

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        return next(self._numbers, 0) % count


def replayed(profile: Profile, tapes: Tapes) -> tuple[Walk, Difference | None, int]:
    """A walk of these steps to its end or first difference, that difference, and how many steps there were."""
    path = Walk(profile, described=True)
    for number, tape in enumerate(tapes, 1):
        try:
            path.step(Replay(tape))
        except Difference as difference:
            return path, difference, number
    try:
        path.finish()
    except Difference as difference:
        return path, difference, len(tapes)
    return path, None, len(tapes)


def shrunk(profile: Profile, tapes: Tapes) -> tuple[Walk, Difference | None]:
    """The walk with the fewest steps that were found to end in a difference, and that difference."""
    deadline = time.monotonic() + SHRINKING_TAKES
    best, difference, length = replayed(profile, tapes)
    if difference is None:
        return best, None
    tapes = tapes[:length]
    group = max(len(tapes) // 2, 1)
    while True:
        start = 0
        while start < len(tapes) and time.monotonic() < deadline:
            fewer = tapes[:start] + tapes[start + group :]
            path, found, length = replayed(profile, fewer)
            if found is None:
                start += group
            else:
                best, difference, tapes = path, found, fewer[:length]
        if group == 1 or time.monotonic() >= deadline:
            return best, difference
        group //= 2
