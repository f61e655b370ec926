"""What was met on the way: handed over without waiting, each conflict once at a time, worked on in the background."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from chorale.domain.conflict import Conflict
from chorale.reconciliation.open_conflicts import Name, name_of

_log = logging.getLogger(__name__)


class Found:
    """Holds `size` conflicts at most; what comes beyond is left to the next verification."""

    def __init__(self, size: int, depth: Callable[[int], None]) -> None:
        self._size = size
        self._depth = depth
        self._waiting: OrderedDict[Name, Conflict] = OrderedDict()
        self._current: Name | None = None
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped = 0

    def put(self, conflict: Conflict) -> None:
        """Never waits. One that is under way or waiting already changes nothing."""
        name = name_of(conflict)
        if name in self._waiting or name == self._current:
            return
        if len(self._waiting) >= self._size:
            self.dropped += 1
            return
        self._waiting[name] = conflict
        self._depth(len(self._waiting))
        self._idle.clear()
        self._arrived.set()

    async def drained(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        await self._idle.wait()

    async def work(self, settle: Callable[[Conflict], Awaitable[object]]) -> None:
        """One after another, until cancelled; what was under way then is met again."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                self._current, conflict = self._waiting.popitem(last=False)
                self._depth(len(self._waiting))
                try:
                    await settle(conflict)
                except Exception:  # noqa: BLE001 -- one conflict must not end the work on all others
                    _log.exception("%s of %s could not be worked on", conflict.cause, conflict.subject)
                finally:
                    self._current = None
            self._idle.set()
