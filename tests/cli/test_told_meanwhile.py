"""A start waits for derived state as long as it takes and no longer, and tells how far it is where that is long."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from chorale.process.server_run import told_meanwhile
from tests.patience import PATIENCE

NEVER = 3600.0


async def test_it_ends_with_the_work() -> None:
    """Nothing has failed, and nothing is told: the failure is not waited for, and neither is the time to tell."""
    told: list[str] = []
    async with asyncio.timeout(PATIENCE):
        await told_meanwhile(asyncio.sleep(0), asyncio.Future(), lambda: told.append("far"), every=NEVER)
    assert not told


async def test_it_ends_with_the_failure() -> None:
    """What can no longer come is not waited for, and is cancelled."""
    failure: asyncio.Future[str] = asyncio.Future()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(told_meanwhile(work(), failure, lambda: None, every=NEVER))
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
        assert not waiting.done()
        failure.set_result("The chain has ended.")
        await waiting
    assert ended.is_set()


async def test_it_tells_while_it_takes_long() -> None:
    """Again and again, until the work is done."""
    told, enough = deque[int](), asyncio.Event()

    def tell() -> None:
        told.append(len(told))
        if len(told) == 3:
            enough.set()

    async def work() -> None:
        await enough.wait()

    async with asyncio.timeout(PATIENCE):
        await told_meanwhile(work(), asyncio.Future(), tell, every=0.01)
    assert list(told) == [0, 1, 2]


async def test_what_the_work_raises_is_raised() -> None:
    """Nothing that went wrong passes for derived state that has come."""

    async def work() -> None:
        raise LookupError("no such state")

    async with asyncio.timeout(PATIENCE):
        with pytest.raises(LookupError, match="no such state"):
            await told_meanwhile(work(), asyncio.Future(), lambda: None, every=NEVER)
