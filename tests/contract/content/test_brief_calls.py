"""What is brief runs where it is asked for only while the embedded engine rests: never beside another call."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chorale.domain.errors import AuthorityUnavailableError
from datasources.qdrant.engine import Engine
from datasources.qdrant.opening import open_engine
from tests.patience import PATIENCE


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine("file:", tmp_path) as opened:
        yield opened


async def test_a_resting_engine_is_used_here_and_a_busy_one_by_its_owner(engine: Engine) -> None:
    """A brief call behind a long one waits for it, on the owner's thread."""
    here = threading.get_ident()
    assert await engine.call(threading.get_ident, brief=True) == here
    begun, go_on = threading.Event(), threading.Event()

    def long() -> str:
        begun.set()
        go_on.wait(PATIENCE)
        return "long"

    first = asyncio.create_task(engine.call(long))
    await asyncio.to_thread(begun.wait, PATIENCE)
    second = asyncio.create_task(engine.call(threading.get_ident, brief=True))
    await asyncio.sleep(0)
    assert not second.done()
    go_on.set()
    assert await first == "long"
    assert await second not in (here, 0)
    assert await engine.call(threading.get_ident, brief=True) == here


async def test_a_caller_that_goes_away_leaves_its_call_under_way(engine: Engine) -> None:
    """Its work is still the owner's: who comes next is not let in beside it."""
    begun, go_on = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        go_on.wait(PATIENCE)

    gone = asyncio.create_task(engine.call(long))
    waiting = asyncio.create_task(engine.call(long))
    await asyncio.to_thread(begun.wait, PATIENCE)
    for task in (gone, waiting):  # the one runs, the other never will
        task.cancel()
    await asyncio.gather(gone, waiting, return_exceptions=True)
    here = threading.get_ident()
    behind = asyncio.create_task(engine.call(threading.get_ident, brief=True))
    await asyncio.sleep(0)
    assert not behind.done()
    go_on.set()
    assert await behind != here
    assert await engine.call(threading.get_ident, brief=True) == here


async def test_what_fails_here_is_what_fails_there(engine: Engine) -> None:
    """No vendor's exception passes, on whichever thread it was raised."""

    def broken() -> None:
        raise KeyError("payload")

    for brief in (True, False):
        with pytest.raises(AuthorityUnavailableError, match="cannot be read: KeyError"):
            await engine.call(broken, brief=brief)
