"""What a checker gives: batches of entities that were looked at, with what disagrees among them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from chorale.domain.boundaries import BoundaryName
from chorale.domain.conflict import Conflict


@dataclass(frozen=True, slots=True)
class Checked:
    """One batch: `entities` looked at, and the conflicts among them, each confirmed by a second read. `expected` more
    entities were not known of before (0 where the batch tells nothing new)."""

    entities: int
    conflicts: tuple[Conflict, ...] = ()
    expected: int = 0


class Checker(Protocol):
    """One boundary. Both raise ChoraleError where it cannot be checked any further."""

    @property
    def name(self) -> BoundaryName:
        """The boundary."""

    def whole(self) -> AsyncGenerator[Checked, None]:
        """Everything, batch by batch, in bounded memory."""

    def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """About `size` entities, others each time, so that everything has its turn."""
