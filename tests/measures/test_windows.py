"""Moments are measured by windows that slide with a clock, however irregularly it is looked at."""

from __future__ import annotations

import pytest

from datasources.metrics.windows import Durations, LastHour


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_the_last_hour_forgets_minute_by_minute() -> None:
    """What happened counts for an hour, to the minute, and no longer."""
    clock = Clock()
    hour = LastHour(clock)
    hour.add()
    clock.now += 30 * 60
    hour.add()
    hour.add()
    assert hour.count == 3
    clock.now += 29 * 60
    assert hour.count == 3
    clock.now += 60
    assert hour.count == 2
    clock.now += 30 * 60
    assert hour.count == 0


@pytest.mark.parametrize("pause", [3_600, 3_659, 7_200, 10**7])
def test_a_long_silence_leaves_nothing(pause: float) -> None:
    """A clock that was not looked at for an hour or many empties the whole ring, and counting goes on."""
    clock = Clock()
    hour = LastHour(clock)
    for _ in range(60):
        hour.add()
        clock.now += 60
    clock.now += pause
    assert hour.count == 0
    hour.add()
    assert hour.count == 1


def test_percentiles_are_of_the_newest_and_the_count_of_all() -> None:
    """100 durations of which ten old ones were slow: the window of 90 does not see those."""
    durations = Durations(90)
    for seconds in [9.0] * 10 + [number / 100 for number in range(1, 91)]:
        durations.add(seconds)
    spread = durations.spread()
    assert spread.count == 100
    assert (spread.p50, spread.p99) == (0.45, 0.9)


@pytest.mark.parametrize(("values", "p50", "p99"), [([], 0.0, 0.0), ([2.0], 2.0, 2.0), ([3.0, 1.0], 1.0, 3.0)])
def test_percentiles_of_few(values: list[float], p50: float, p99: float) -> None:
    """Nearest rank: always a duration that was measured; 0 where there was none."""
    durations = Durations(10)
    for seconds in values:
        durations.add(seconds)
    spread = durations.spread()
    assert (spread.count, spread.p50, spread.p99) == (len(values), p50, p99)
