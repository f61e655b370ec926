"""Where choices come from: a seeded generator in the long run, Hypothesis where a failure shall shrink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Pick(Protocol):
    """A source of numbers; 0 is the plainest choice."""

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        ...


def one_of(pick: Pick, items: Sequence[T]) -> T:
    """One of the items."""
    return items[pick.below(len(items))]


def chance(pick: Pick, percent: int) -> bool:
    """Whether something happens that does so in `percent` of cases."""
    return pick.below(100) >= 100 - percent


def weighted(pick: Pick, weights: Sequence[tuple[T, int]]) -> T:
    """One of the items, as often as its weight says."""
    number = pick.below(sum(weight for _, weight in weights))
    for item, weight in weights:
        number -= weight
        if number < 0:
            return item
    raise AssertionError("weights are positive")
