"""Of all replicas one holds the lease at a time; where it ends, however it ends, another takes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis.asyncio import Redis

from datasources.cache.lease import open_lease
from datasources.cache.lease_redis import RedisLease, open_redis_lease
from tests.patience import PATIENCE

TTL = 1.0
CONTENT = "http://127.0.0.1:6333"


async def until_held(*leases: RedisLease) -> RedisLease:
    """The one that holds it, once one does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = [lease for lease in leases if lease.held]
            assert len(held) <= 1
            if held:
                return held[0]
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("cache", "content"), [("memory:", CONTENT), ("memory:", "file:"), ("redis://x:1", "file:")])
async def test_where_nothing_is_shared_it_is_always_held(cache: str, content: str) -> None:
    async with open_lease(cache, content, "collection", TTL) as lease:
        assert lease.held
        assert lease.holder


async def test_one_of_many_holds_it_and_the_next_takes_it_at_its_end(redis_url: str) -> None:
    """A holder that closes gives it back at once; the others never hold it meanwhile, and know its name."""
    async with AsyncExitStack() as others:
        async with open_redis_lease(redis_url, "handed over", TTL) as first:
            assert first.held
            waiting = [await others.enter_async_context(open_redis_lease(redis_url, "handed over", TTL)) for _ in "ab"]
            assert [lease.held for lease in waiting] == [False, False]
            assert {lease.holder for lease in waiting} == {first.name}
            async with open_redis_lease(redis_url, "another collection", TTL) as unrelated:
                assert unrelated.held
            await asyncio.sleep(2 * TTL)  # longer than it lives: it is renewed
            assert first.held
            assert [lease.held for lease in waiting] == [False, False]
            changed = [asyncio.create_task(lease.wait_for_change()) for lease in waiting]
        assert not first.held
        taken = await until_held(*waiting)
        await asyncio.wait(changed, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        assert changed[waiting.index(taken)].done()
        for task in changed:
            task.cancel()


@asynccontextmanager
async def crashed(redis_url: str, shared: str) -> AsyncIterator[RedisLease]:
    """A holder that stops renewing without giving it back, as a killed process."""
    lease = RedisLease(Redis.from_url(redis_url, decode_responses=True), f"chorale:lease:{shared}", TTL)
    await lease.look()
    yield lease
    await lease._client.aclose()


async def test_a_holder_that_dies_knows_before_another_takes_it(redis_url: str) -> None:
    """What is not renewed ends for its holder before it ends in Redis, and is then taken."""
    async with crashed(redis_url, "died") as dead:
        assert dead.held
        client = Redis.from_url(redis_url, decode_responses=True)
        heir = RedisLease(client, "chorale:lease:died", TTL)
        running = asyncio.create_task(heir.run())
        try:
            assert await until_held(dead) is dead
            async with asyncio.timeout(PATIENCE):
                while not heir.held:
                    assert not (dead.held and await client.get("chorale:lease:died") != dead.name)
                    await asyncio.sleep(0.005)
            assert not dead.held
            await dead.release()  # a late goodbye takes nothing from the heir
            assert await client.get("chorale:lease:died") == heir.name
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await client.aclose()


async def test_without_redis_nobody_holds_it() -> None:
    """A replica that cannot reach Redis goes on without the lease."""
    async with open_redis_lease("redis://127.0.0.1:1/0", "away", TTL) as lease:
        assert not lease.held
        assert lease.holder == ""


async def test_it_is_given_up_at_any_moment(redis_url: str) -> None:
    """However far a question to Redis has come, who cancels it is heard: a server's end waits for nobody."""
    async with open_redis_lease(redis_url, "given up", TTL) as lease:
        for ticks in range(60):
            looking = asyncio.create_task(lease.look())
            for _ in range(ticks):
                await asyncio.sleep(0)
            was_done = looking.done()
            looking.cancel()
            await asyncio.wait((looking,), timeout=PATIENCE)
            assert was_done or looking.cancelled(), ticks
            await lease.look()  # its connection is as good as new
            assert lease.held
