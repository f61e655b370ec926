"""Two replicas share content: the one with the lease writes it, the other follows, and takes over where it has to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.content import ContentKey, Promotion
from chorale.domain.lease import Lease
from chorale.domain.ports import ContentStore
from chorale.projector import Projector
from datasources.cache.lease_redis import open_redis_lease
from datasources.embeddings import FastEmbedder
from tests.chains import RunningChain
from tests.patience import PATIENCE
from tests.redis import RunningRedis, running_redis
from tests.spine.parts import Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

TTL = 2.0
SHARE = 2.0  # s that a projector waits for the holder of the lease


class Written:
    """The store, with a note of what was promoted through it."""

    def __init__(self, content: ContentStore) -> None:
        self._content = content
        self.keys: list[ContentKey] = []

    async def promote(self, promotions: Sequence[Promotion]) -> None:
        self.keys += [promotion.key for promotion in promotions]
        await self._content.promote(promotions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


@pytest.fixture
def redis(tmp_path: Path) -> Any:
    with running_redis(tmp_path) as running:
        yield running


def replica(parts: Parts, lease: Lease, content: ContentStore) -> tuple[Parts, Written]:
    """The parts as a replica with this lease, on content that it shares."""
    written: Any = Written(content)
    projector = Projector(parts.chain, written, parts.embedder, parts.index, lease=lease, patience=SHARE)
    return replace(parts, content=written, lease=lease, projector=projector), written


@asynccontextmanager
async def two(running: RunningChain, embedder: FastEmbedder, folder: Path) -> AsyncIterator[tuple[Parts, Parts]]:
    async with (
        open_parts(running, embedder, folder / "a") as first,
        open_parts(running, embedder, folder / "b") as second,
    ):
        yield first, second


async def told(parts: Parts, kind: AnnouncementKind) -> None:
    """Return once that was announced."""
    async with asyncio.timeout(PATIENCE):
        while all(made.kind is not kind for made in parts.announcements.recent()):
            await asyncio.sleep(0.05)


async def test_a_follower_writes_nothing_until_the_lease_is_free(
    redis: RunningRedis, running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor
) -> None:
    """Both replicas commit the same, one wrote the content; when it closes, the other is told and writes."""
    name = token_hex(4)
    async with two(running, embedder, tmp_path) as (a, b), AsyncExitStack() as holder:
        first = await holder.enter_async_context(open_redis_lease(redis.url, name, TTL))
        second = await holder.enter_async_context(open_redis_lease(redis.url, name, TTL))
        assert first.held
        leader, by_leader = replica(a, first, a.content)
        follower, by_follower = replica(b, second, a.content)
        async with leader.watch(), follower.watch():
            by_leader.keys.clear()
            title = ana.thread("Shared")
            thread_id = title.content.key.thread_id
            await leader.stage(title.content)
            await ana.send(title.instruction)
            drafts = [ana.post(thread_id, f"Post {number}") for number in range(4)]
            for draft in drafts:
                await leader.stage(draft.content)
                await ana.send(draft.instruction)
            for parts in (leader, follower):
                assert await parts.index.wait_for(thread_id, 5, PATIENCE)
            assert {title.content.key, *(draft.content.key for draft in drafts)} <= set(by_leader.keys)
            assert by_follower.keys == []
            # Given back; whether its own next look or the other's comes first, one of them has it then.
            await first.release()
            await told(leader, AnnouncementKind.LEASE_LOST)
        async with follower.watch():
            while not second.held:
                await first.release()
                await second.look()
            await told(follower, AnnouncementKind.LEASE_TAKEN)
            last = ana.post(thread_id, "After the change")
            await follower.stage(last.content)
            await ana.send(last.instruction)
            assert await follower.index.wait_for(thread_id, 6, PATIENCE)
            assert last.content.key in by_follower.keys


async def test_a_mutation_on_a_follower_ends_though_the_holder_is_dead(
    redis: RunningRedis, running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor
) -> None:
    """Nobody waits for the lease for ever: after its patience the follower promotes by itself, also without Redis."""
    name = token_hex(4)
    async with two(running, embedder, tmp_path) as (a, b), open_redis_lease(redis.url, name, TTL * 100) as dead:
        assert dead.held  # by a replica that does nothing
        async with open_redis_lease(redis.url, name, TTL) as waiting:
            follower, by_follower = replica(b, waiting, a.content)
            title = ana.thread("Without a holder")
            thread_id = title.content.key.thread_id
            await follower.stage(title.content)
            signature = await ana.send(title.instruction)
            async with asyncio.timeout(PATIENCE):
                settled = await follower.projector.settle(thread_id, signature)
            assert (settled.sequence, by_follower.keys) == (1, [title.content.key])
            redis.kill()
            draft = ana.post(thread_id, "Without Redis")
            await follower.stage(draft.content)
            signature = await ana.send(draft.instruction)
            async with asyncio.timeout(PATIENCE):
                await follower.projector.settle(thread_id, signature)
            stored = (await a.content.fetch([draft.content.key]))[draft.content.key].stored
            assert stored is not None
            assert stored.status is MessageStatus.PUBLISHED
            assert not waiting.held
            await follower.projector.close()
