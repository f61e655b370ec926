"""A round that fails, for whatever reason, gives those who wait a ChoraleError and holds up nobody else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from chorale.domain.errors import ChoraleError, StaleReadError
from chorale.domain.events import EventPosition
from chorale.domain.projection import Settled
from chorale.projection.lanes import Lane, Lanes, Request

ANSWER = Settled(1, 1, EventPosition("", 0, "", 0, 0))


async def work(lane: Lane, batch: Sequence[Request]) -> None:
    if lane.thread_id == "broken":
        raise OverflowError("Python int too large to convert to SQLite INTEGER")
    if lane.thread_id == "stale":
        raise StaleReadError
    for request in batch:
        request.answer(ANSWER)


async def test_an_unexpected_exception_is_logged_and_stays_with_its_thread(caplog: pytest.LogCaptureFixture) -> None:
    lanes = Lanes(work)
    with caplog.at_level(logging.ERROR):
        asked = [lanes.ask(thread_id, None, 0, None) for thread_id in ("broken", "whole", "broken")]
        first, answer, second = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, ChoraleError) and isinstance(second, ChoraleError)
    assert answer == ANSWER
    assert "OverflowError" in caplog.text and "broken" in caplog.text
    assert await lanes.ask("whole", None, 0, None) == ANSWER
    await lanes.close()


async def test_an_expected_error_reaches_those_who_wait_as_it_is() -> None:
    lanes = Lanes(work)
    with pytest.raises(StaleReadError):
        await lanes.ask("stale", None, 0, None)
    await lanes.close()
