"""Whether a node lives in the past, told by its slots."""

from __future__ import annotations

import time
from collections.abc import Callable

from chorale.domain.chain import AccountsRead, Blockhash

_MEMORY = 30.0  # s: a chain that begins anew, or one absurd answer, is forgotten after twice that


class SlotWatch:
    """Remembers the highest slot of any answer of the last half minute or whole one, and when slots last moved."""

    def __init__(self, stall: float, behind: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stall = stall
        self._behind = behind
        self._clock = clock
        self._highest = [0, 0]  # of this half minute, of the one before
        self._turned_at = self._moved_at = clock()
        self._last = -1

    def seen(self, slot: int) -> None:
        """An answer carried this slot."""
        now = self._clock()
        if now - self._turned_at >= _MEMORY:
            self._highest = [0, self._highest[0] if now - self._turned_at < 2 * _MEMORY else 0]
            self._turned_at = now
        self._highest[0] = max(self._highest[0], slot)

    def problem(self, slot: int) -> str:
        """Why a node whose confirmed slot is `slot` now is behind; "" where it is not."""
        now = self._clock()
        if slot != self._last:
            self._last, self._moved_at = slot, now
        self.seen(slot)
        lag = max(self._highest) - slot
        if lag > self._behind:
            return f"the node is at slot {slot}, {lag} behind what has been seen"
        still = now - self._moved_at
        return f"slot {slot} has not moved for {still:.0f} s" if still >= self._stall else ""


def slot_in(result: object) -> int | None:
    """The slot that an answer of the chain port carries, None where it carries none."""
    return result.slot if isinstance(result, AccountsRead | Blockhash) else None
