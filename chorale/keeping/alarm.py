"""When the keeper looks again: woken by the program's transactions, a window's end or its own pauses, or in time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

from chorale.domain.chain import SlotTick
from chorale.domain.errors import ChoraleError
from chorale.domain.ports import Chain
from chorale.keeping.survey import Survey
from chorale.limits import Limits

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # s between connections, doubling
_LOAD = 9  # a look that took 1 s is followed by at least 9 s of rest


class Alarm:
    """`polls_clock` where the cluster's clock may leap: then it is read every `keeper_tick` s."""

    def __init__(self, chain: Chain, limits: Limits, *, polls_clock: bool) -> None:
        self._chain = chain
        self._limits = limits
        self._polls_clock = polls_clock
        self._woken = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to be begun."""
        return self._closed.is_set()

    def close(self) -> None:
        """End every rest at once."""
        self._closed.set()
        self._woken.set()

    def arm(self) -> None:
        """A look begins; what is heard from now on calls for another."""
        if not self.is_closed:
            self._woken.clear()

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless it is closed meanwhile."""
        await _wait(self._closed, seconds)

    async def rest(self, survey: Survey, took: float, turn: float | None, *, hurry: bool) -> None:
        """After a look that took so many s, until the next should begin. `turn` is when work that waits has its turn
        (the event loop's time); `hurry`: as soon as the load allows it. Raises ChoraleError where a poll fails."""
        clock = asyncio.get_running_loop().time
        looked_at = clock()
        await self.sleep(max(self._limits.keeper_pause, _LOAD * took))
        if hurry:
            return
        ends = [looked_at + self._limits.keeper_interval]
        if turn is not None:
            ends.append(turn)
        if survey.next_expiry is not None and not self._polls_clock:
            ends.append(looked_at + survey.next_expiry - survey.now)
        while not self._woken.is_set() and (left := min(ends) - clock()) > 0:
            await _wait(self._woken, min(left, self._limits.keeper_tick) if self._polls_clock else left)
            if self._polls_clock and await self._is_past(survey.next_expiry):
                return

    async def listen(self) -> None:
        """Wakes at each of the program's transactions, and once at every connection. Runs until it is cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async with aclosing(self._chain.follow()) as feed:
                    await anext(feed)  # the subscription stands
                    pause = _FIRST_PAUSE
                    self._woken.set()
                    async for item in feed:
                        if not isinstance(item, SlotTick):
                            self._woken.set()
            except ChoraleError as error:
                _log.info("keeper listens again in %.1f s and looks regularly until then: %s", pause, error)
            except Exception:  # noqa: BLE001 -- nothing that a connection brings may end this
                _log.exception("keeper listens again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _is_past(self, expiry: int | None) -> bool:
        return expiry is not None and await self._chain.unix_time() >= expiry


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
