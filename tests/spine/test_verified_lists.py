"""An update counts as verified only where the index says what the chain says; else it has diverged, and says how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.commands import ClaimEscrow, Divest
from chorale.domain.projection import ListedMessage, ListedThread
from chorale.domain.updates import Outcome, StepName
from chorale.projector import Projector
from programs import instructions
from tests.spine.desk import open_desk
from tests.spine.parts import Actor, Parts
from tests.spine.test_payout_destinations import claim, denied

pytestmark = pytest.mark.asyncio(loop_scope="session")

Change = Callable[[ListedThread], ListedThread | None]


class Misfiled:
    """Stands before the real index and tells what is listed as changed; all else passes through."""

    def __init__(self, real: Any, change: Change, times: int = 1_000) -> None:
        self._real = real
        self._change = change
        self._left = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def listed(self, thread_id: str, content_hash: str | None) -> ListedThread | None:
        listed: ListedThread | None = await self._real.listed(thread_id, content_hash)
        if listed is None or not self._left:
            return listed
        self._left -= 1
        return self._change(listed)


def misfiled(parts: Parts, change: Change, times: int = 1_000) -> Parts:
    """The same parts with such an index under their projector."""
    index: Any = Misfiled(parts.index, change, times)
    return replace(parts, projector=Projector(parts.chain, parts.content, parts.embedder, index))


def of_message(**changes: Any) -> Change:
    """Changes of the listed message."""

    def change(listed: ListedThread) -> ListedThread:
        assert isinstance(listed.message, ListedMessage)
        return replace(listed, message=replace(listed.message, **changes))

    return change


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"status": MessageStatus.SPLIT}, "listed status SPLIT"),
        ({"escrow_remaining": 1}, "listed escrow_remaining 1"),
        ({"share": 1}, "listed share 1"),
        ({"decided_at": 1}, "listed decided_at 1"),
        ({"votes": frozenset()}, "listed votes []"),
    ],
)
async def test_a_message_that_is_listed_wrongly(
    parts: Parts, ana: Actor, ben: Actor, tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    async with open_desk(parts, tmp_path) as desk:
        of = await denied(desk, ana, ben)
    wrong = misfiled(parts, of_message(**changes))
    async with open_desk(wrong, tmp_path) as desk:
        raw = await desk.running.sign([claim(ana, of)], [ana.keypair])
        result = await desk.run(ClaimEscrow(signed_transaction=raw))
    await wrong.projector.close()
    assert result.update.outcome is Outcome.DIVERGED
    step = next(step for step in result.update.steps if step.name is StepName.VERIFY)
    assert step.detail is not None
    assert named in step.detail


async def test_a_seat_that_is_still_listed(parts: Parts, ana: Actor, ben: Actor, tmp_path: Path) -> None:
    """Who left counts as left only once the lists say so; no message is part of it."""
    async with open_desk(parts, tmp_path) as desk:
        thread_id = (await desk.create(ana)).content.key.thread_id
        joins = await desk.submit(ben, thread_id, "I join")
        await desk.run(await desk.ballot(ana, thread_id, joins.hash, approve=True))
    wrong = misfiled(parts, lambda listed: replace(listed, co_authors=listed.co_authors | {(ben.key, 1)}))
    async with open_desk(wrong, tmp_path) as desk:
        result = await desk.run(Divest(signed_transaction=await leaving(desk.running, ben, thread_id)))
    await wrong.projector.close()
    assert result.update.outcome is Outcome.DIVERGED
    assert "listed co-authors" in str(result.update.steps[-1].detail)


@pytest.mark.parametrize("change", [lambda _: None, lambda listed: replace(listed, sequence=listed.sequence - 1)])
async def test_lists_that_are_behind_are_waited_for(parts: Parts, ana: Actor, tmp_path: Path, change: Change) -> None:
    """Once or twice is no conflict."""
    async with open_desk(parts, tmp_path) as desk:
        thread_id = (await desk.create(ana)).content.key.thread_id
    slow = misfiled(parts, change, times=2)
    async with open_desk(slow, tmp_path) as desk:
        result = await desk.run(Divest(signed_transaction=await leaving(desk.running, ana, thread_id)))
    await slow.projector.close()
    assert result.update.outcome is Outcome.VERIFIED
    assert result.update.steps[-1].detail is None


async def test_a_thread_that_moves_on_all_the_time(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    """Lists of a later version than every read are no conflict either; the answer says that they were not compared."""
    async with open_desk(parts, tmp_path) as desk:
        thread_id = (await desk.create(ana)).content.key.thread_id
    ahead = misfiled(parts, lambda listed: replace(listed, sequence=listed.sequence + 1))
    async with open_desk(ahead, tmp_path) as desk:
        result = await desk.run(Divest(signed_transaction=await leaving(desk.running, ana, thread_id)))
    await ahead.projector.close()
    assert result.update.outcome is Outcome.VERIFIED
    assert "not compared" in str(result.update.steps[-1].detail)


async def leaving(running: Any, co_author: Actor, thread_id: str) -> bytes:
    """A signed divest."""
    part = instructions.divest(
        running.addresses,
        co_author=co_author.key,
        destination=co_author.tokens,
        thread_id=thread_id,
        min_payout=0,
    )
    raw: bytes = await running.sign([part], [co_author.keypair])
    return raw
