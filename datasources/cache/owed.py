"""What Redis has not been told yet: floors that could not be raised while it was away."""

from __future__ import annotations

from dataclasses import dataclass, field

from chorale.domain.caching import Floor


@dataclass
class Owed:
    """Floors that Redis has not been told: of single addresses, below which slot of all, or that nothing there counts.

    With more than `most` addresses the highest of their slots stands for all."""

    most: int
    floors: dict[str, Floor] = field(default_factory=dict)
    all_below: int = -1
    everything: bool = False

    def __bool__(self) -> bool:
        return bool(self.floors) or self.all_below >= 0 or self.everything

    def add(self, other: Owed) -> None:
        """What `other` owes as well."""
        self.everything |= other.everything
        self.all_below = max(self.all_below, other.all_below)
        for address, floor in other.floors.items():
            known = self.floors.get(address)
            self.floors[address] = floor if known is None else known.joined(floor)
        if len(self.floors) > self.most:
            self.all_below = max(self.all_below, *(floor.slot for floor in self.floors.values()))
            self.floors.clear()
