"""A history that was put back is noticed: what was derived from the branch that is gone goes to `reconcile`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.conflict import ConflictCause
from datasources.embeddings import FastEmbedder
from tests.chains import PROGRAM_SO
from tests.replaceable import ReplaceableChain, replaceable_chain
from tests.spine.parts import Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def replaceable(tmp_path: Path) -> Iterator[ReplaceableChain]:
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    with replaceable_chain(tmp_path / "chain") as chain:
        yield chain


async def announced(parts: Parts, kind: AnnouncementKind) -> str:
    """The detail of the first announcement of a kind, once it is there."""
    async with asyncio.timeout(30):
        while True:
            for made in parts.announcements.recent():
                if made.kind is kind:
                    return made.detail
            await asyncio.sleep(0.05)


async def post(parts: Parts, actor: Actor, thread_id: str, body: str) -> str:
    """Post past the server; the content hash."""
    draft = actor.post(thread_id, body)
    await parts.stage(draft.content)
    await actor.send(draft.instruction)
    return draft.hash


async def test_a_thread_above_the_final_history_is_handed_over(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path
) -> None:
    """A chain put back to an earlier state leaves the index ahead; that is a conflict, and threads elsewhere go on."""
    running = replaceable.start()
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        forked, quiet = ana.thread("Forked"), ana.thread("Quiet")
        for title in (forked, quiet):
            await parts.stage(title.content)
            await ana.send(title.instruction)
        forked_id, quiet_id = forked.content.key.thread_id, quiet.content.key.thread_id
        await post(parts, ana, quiet_id, "Stays.")
        assert await parts.index.wait_for(quiet_id, 2, 10)
        replaceable.kill()
        replaceable.keep()
        replaceable.start()
        for number in range(3):
            await post(parts, ana, forked_id, f"Of the branch that is gone, {number}")
        assert await parts.index.wait_for(forked_id, 4, 30)
        replaceable.kill()
        replaceable.put_back()
        replaceable.start()
        assert "1 threads" in await announced(parts, AnnouncementKind.CHAIN_FORKED)
        [record] = parts.conflicts.before(None, 10)
        assert record.conflict.cause is ConflictCause.INDEX_WRONG
        assert (record.conflict.subject, record.conflict.expected) == (f"Thread:{forked_id}", "sequence 1")
        await post(parts, ana, quiet_id, "Goes on.")
        assert await parts.index.wait_for(quiet_id, 3, 30)


async def test_another_chain_ends_the_watcher(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path
) -> None:
    """Where the node serves another chain nothing of it is taken: the log ends and says why."""
    running = replaceable.start()
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        title = ana.thread("On the first chain")
        await parts.stage(title.content)
        await ana.send(title.instruction)
        thread_id = title.content.key.thread_id
        assert await parts.index.wait_for(thread_id, 1, 10)
        replaceable.kill()
        replaceable.forget()
        replaceable.start()
        assert "another chain" in await announced(parts, AnnouncementKind.CHAIN_RESET)
        assert parts.index.ended == "CHAIN_RESET"
        assert await parts.index.thread_sequence(thread_id) == 1
        assert [_ async for _ in parts.index.wake(thread_id)] == []
