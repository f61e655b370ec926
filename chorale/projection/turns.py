"""Whose turn it is to write content that replicas share: the lease holder's, and whoever's where the holder is away.

Promotions are guarded by sequences and may be repeated, so that two who write at the same time do no harm. The lease
saves work; nothing ever waits for it longer than a limit.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from chorale.domain.lease import Lease

_FIRST_PAUSE, _LONGEST_PAUSE = 0.03, 0.3  # s between looks at what the holder has written
_ABSENT = 5  # times the patience for which a holder that let somebody wait in vain is not waited for


class Turns:
    """`patience` is for how many seconds a replica without the lease waits for the holder's writes."""

    def __init__(self, lease: Lease, patience: float) -> None:
        self._lease = lease
        self._patience = patience
        self._absent_until = 0.0

    def begin(self) -> Turn:
        """For one batch of writes."""
        now = asyncio.get_running_loop().time()
        return Turn(self, now + (0.0 if now < self._absent_until else self._patience))

    @property
    def lease(self) -> Lease:
        """The lease that is asked."""
        return self._lease

    def give_up(self) -> None:
        """The holder has not written in time."""
        self._absent_until = asyncio.get_running_loop().time() + _ABSENT * self._patience


class Turn:
    """One wait for the holder."""

    def __init__(self, turns: Turns, deadline: float) -> None:
        self._turns = turns
        self._deadline = deadline
        self._pause = _FIRST_PAUSE

    async def is_others(self) -> bool:
        """Whether the writes are another's: then after a pause in which they may have been made. False: write now."""
        lease = self._turns.lease
        if lease.held:
            return False
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            self._turns.give_up()
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(min(self._pause, left)):
                await lease.wait_for_change()
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True
