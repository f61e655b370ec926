"""Reads under way in this process: one fill per entity at a time, the others wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Flights:
    """Claims to entities by address; each lasts `longest` seconds at most, then another may claim it."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._open: dict[str, tuple[asyncio.Future[None], float]] = {}

    def begin(self, addresses: Iterable[str]) -> frozenset[str]:
        """Those of `addresses` that nobody reads; they are the caller's until `end`."""
        loop = asyncio.get_running_loop()
        now, begun = loop.time(), set()
        for address in addresses:
            if not self._is_open(address, now):
                self._open[address] = loop.create_future(), now + self._longest
                begun.add(address)
        return frozenset(begun)

    def end(self, addresses: Iterable[str]) -> None:
        """Read, or given up: whoever waits looks again."""
        for address in addresses:
            flight = self._open.pop(address, None)
            if flight is not None and not flight[0].done():
                flight[0].set_result(None)

    def reading(self, address: str) -> bool:
        """Whether somebody in this process reads it."""
        return self._is_open(address, asyncio.get_running_loop().time())

    async def wait(self, addresses: Iterable[str]) -> None:
        """Until none of these is open, as long as a claim lasts at most."""
        waiting = [self._open[address][0] for address in addresses if self.reading(address)]
        if waiting:
            await asyncio.wait(waiting, timeout=self._longest)

    def _is_open(self, address: str, now: float) -> bool:
        flight = self._open.get(address)
        if flight is None:
            return False
        if flight[1] <= now:  # whoever claimed it is stuck
            self.end([address])
            return False
        return True
