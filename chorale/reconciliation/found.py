"""What was met on the way: handed over without waiting, each conflict once at a time, worked on in the background."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chorale.domain.conflict import Conflict
from chorale.reconciliation.fair_share import FairShare
from chorale.reconciliation.open_conflicts import Name, name_of

_log = logging.getLogger(__name__)

Settle = Callable[[Conflict], Awaitable[object]]


class Found:
    """Holds `size` conflicts at most, shared fairly by threads; what gives way is left to the next verification.
    `at_once` of them are worked on side by side, never two of one thread, whose conflicts keep their order: most of
    each one's time is finality."""

    def __init__(self, size: int, at_once: int, depth: Callable[[int], None]) -> None:
        self._at_once = at_once
        self._depth = depth
        self._waiting: FairShare[Name, Conflict] = FairShare(size)
        self._under_way: dict[str, Name] = {}  # by lane
        self._turn = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped = 0

    def put(self, conflict: Conflict) -> None:
        """Never waits. One that is under way or waiting already changes nothing."""
        name = name_of(conflict)
        if name in self._waiting or self._under_way.get(conflict.lane) == name:
            return
        if self._waiting.put(name, conflict.lane, conflict) is not None:
            self.dropped += 1
        self._depth(len(self._waiting))
        self._idle.clear()
        self._turn.set()

    async def drained(self) -> None:
        """Wait until nothing waits and nothing is under way."""
        await self._idle.wait()

    async def work(self, settle: Settle) -> None:
        """Until cancelled; what was under way then is met again."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._turn.wait()
                self._turn.clear()
                for conflict in self._next():
                    self._waiting.pop(name_of(conflict))
                    tasks.create_task(self._one(conflict, settle), name="settle a conflict")
                self._depth(len(self._waiting))

    def _next(self) -> list[Conflict]:
        """Those of free lanes that waited longest, as far as there are places; their lanes are taken from here on."""
        begun = []
        for conflict in self._waiting.oldest_first():
            if len(self._under_way) >= self._at_once:
                break
            if conflict.lane not in self._under_way:
                self._under_way[conflict.lane] = name_of(conflict)
                begun.append(conflict)
        return begun

    async def _one(self, conflict: Conflict, settle: Settle) -> None:
        try:
            await settle(conflict)
        except Exception:  # noqa: BLE001 -- one conflict must not end the work on all others
            _log.exception("%s of %s could not be worked on", conflict.cause, conflict.subject)
        finally:
            del self._under_way[conflict.lane]
            self._turn.set()
            if not self._waiting and not self._under_way:
                self._idle.set()
