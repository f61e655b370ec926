"""How the chain is heard: whether this connection follows live transactions yet, since when, and up to which slot."""

from __future__ import annotations

import asyncio

from chorale.projection.progress import ChainProgress
from chorale.projection.pulse import Pulse


class Hearing:
    """Of one watcher, connection after connection. Times are of the event loop, in s."""

    def __init__(self, progress: ChainProgress) -> None:
        self._progress = progress
        self._pulse: Pulse | None = None
        self._reached = 0  # the slot up to which everything that was told is being settled
        self._heard_at = 0.0
        self.is_live = False

    def connect(self) -> Pulse:
        """A connection stands; its pulse."""
        self._pulse = Pulse()
        return self._pulse

    def hear(self) -> None:
        """The chain has told something, or derived state has just caught up with it."""
        self._heard_at = asyncio.get_running_loop().time()

    def reach(self, slot: int) -> None:
        """Everything up to this slot has been told."""
        self._reached = slot

    @property
    def silence(self) -> float:
        """Seconds since the chain was last heard."""
        return asyncio.get_running_loop().time() - self._heard_at

    def slot(self, longest_silence: float) -> int:
        """The newest slot that was told; 0 where changes are not heard as they happen, or no slot has come for that
        many seconds."""
        pulse = self._pulse
        if pulse is None or not self.is_live or pulse.waiting or pulse.silence > longest_silence:
            return 0
        return pulse.slot

    def lag(self) -> int | None:
        """Slots between where the chain likely is and where derived state is; None before the first connection."""
        if self._pulse is None:
            return None
        oldest, cursor = self._progress.oldest_open, self._progress.cursor
        if oldest is not None:
            reached = oldest - 1
        elif self.is_live:
            reached = self._reached
        else:
            reached = 0 if cursor is None else cursor.slot
        return max(0, self._pulse.newest - reached)
