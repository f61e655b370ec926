"""A Redis that is away, comes back, or comes back from the past never leads to an answer that is older than a floor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from chorale.domain.caching import EntityCache, Floor
from chorale.limits import Limits
from datasources.cache.entities import open_entities
from tests.contract.cache.samples import entry
from tests.faults.proxy import Proxy
from tests.patience import PATIENCE
from tests.redis import RunningRedis, running_redis

LIMITS = Limits(cache_timeout=0.3, breaker_pause=0.05, cache_flight=0.3)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RunningRedis]:
    with running_redis(tmp_path) as running:
        yield running


@asynccontextmanager
async def replicas(*urls: str) -> AsyncIterator[list[Any]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_entities(url, "chain", LIMITS)) for url in urls]


async def settled(cache: EntityCache) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await cache.settled():
            await asyncio.sleep(0.02)


async def test_floors_are_raised_for_all_replicas(own_redis: RunningRedis) -> None:
    async with replicas(own_redis.url, own_redis.url) as (one, other):
        await one.put({"a": entry("a", 5, 1)})
        assert (await other.get(["a"]))["a"].version == 1
        assert await other.raise_floors({"a": Floor(6, 2)})
        assert await one.get(["a"]) == {}
        await other.raise_all(9)
        await one.put({"a": entry("a", 9, 2)})
        assert await other.get(["a"]) == {}
        await one.put({"a": entry("a", 10, 2)})
        assert (await other.get(["a"]))["a"].version == 2


async def test_one_replica_reads_for_all(own_redis: RunningRedis) -> None:
    async with replicas(own_redis.url, own_redis.url) as (one, other):
        first = await one.look_up(["a", "b"])
        assert first.claimed == {"a", "b"}
        second = await other.look_up(["a", "b"])
        assert (second.claimed, second.awaited) == (set(), {"a", "b"})
        waiting = asyncio.create_task(other.wait(["a", "b"]))
        await one.put({"a": entry("a", 5, 1)}, first)  # there is no b
        await waiting
        assert set(await other.get(["a", "b"])) == {"a"}
        assert (await other.look_up(["b"])).claimed == {"b"}


async def test_a_floor_that_a_killed_redis_missed_holds_once_it_is_back(own_redis: RunningRedis) -> None:
    async with replicas(own_redis.url, own_redis.url) as (one, other):
        lookup = await other.look_up(["a"])
        own_redis.kill()
        assert not await one.raise_floors({"a": Floor(6, 2)})
        assert not await one.settled()
        assert await one.get(["a"]) == {}
        own_redis.start()
        await settled(one)
        await other.put({"a": entry("a", 5, 1)}, lookup)  # read before all this
        await other.put({"a": entry("a", 5, 1)})
        for cache in (one, other):
            assert await cache.get(["a"]) == {}
        await other.put({"a": entry("a", 6, 2)})
        assert (await one.get(["a"]))["a"].version == 2


async def test_what_a_redis_restores_from_a_dump_is_never_served(own_redis: RunningRedis) -> None:
    """The cache is rewound to before a floor was raised: another start of the server is another cache."""
    async with replicas(own_redis.url) as (cache,):
        await cache.put({"a": entry("a", 5, 1)})
        async with Redis.from_url(own_redis.url) as client:
            await client.save()
        await cache.raise_floors({"a": Floor(6, 2)})
        own_redis.kill()
        own_redis.start()
        async with Redis.from_url(own_redis.url) as client:
            assert await client.dbsize() > 0  # it is all there again
        async with asyncio.timeout(PATIENCE):
            while not (await cache.look_up(["b"])).claimed:  # it is in use again
                await asyncio.sleep(0.02)
        assert await cache.get(["a"]) == {}
        assert await cache.last_known(["a"]) == {}


async def test_a_late_fill_does_not_land_in_a_flushed_cache(own_redis: RunningRedis) -> None:
    async with replicas(own_redis.url) as (cache,):
        lookup = await cache.look_up(["a"])
        await cache.raise_floors({"a": Floor(6, 2)})
        async with Redis.from_url(own_redis.url) as client:
            await client.flushall()
        await cache.put({"a": entry("a", 5, 1)}, lookup)
        assert await cache.get(["a"]) == {}


@pytest.mark.parametrize("how", ["refuse", "go_silent"])
async def test_a_replica_that_is_cut_off_serves_nothing_until_it_has_paid(own_redis: RunningRedis, how: str) -> None:
    """Floors that this replica owes are raised before anything that Redis holds is served here again."""
    proxy = Proxy(own_redis.port)
    proxy.start()
    try:
        async with replicas(f"redis://127.0.0.1:{proxy.port}/0", own_redis.url) as (cut, other):
            await cut.put({at: entry(at, 5, 1) for at in "ab"})
            getattr(proxy, how)()
            assert not await cut.raise_floors({"a": Floor(6, 2)})
            assert await cut.get(["a", "b"]) == {}
            assert set(await other.get(["a", "b"])) == {"a", "b"}  # it hears of the change itself, and raises then
            proxy.pass_all()
            async with asyncio.timeout(PATIENCE):
                while not (found := await cut.get(["a", "b"])):
                    await asyncio.sleep(0.02)
            assert set(found) == {"b"}
            assert set(await other.get(["a", "b"])) == {"b"}
    finally:
        proxy.stop()


async def test_more_floors_than_are_remembered_become_one_for_all(own_redis: RunningRedis) -> None:
    limits = Limits(cache_timeout=0.3, breaker_pause=0.05, cache_entries=3)
    async with open_entities(own_redis.url, "chain", limits) as cache:
        await cache.put({"z": entry("z", 9, 1)})
        own_redis.kill()
        for number in range(5):
            assert not await cache.raise_floors({str(number): Floor(20 + number, 1)})
        own_redis.start()
        await settled(cache)
        await cache.put({"z": entry("z", 23, 1)})
        assert await cache.get(["z"]) == {}
        await cache.put({"z": entry("z", 24, 1)})
        assert set(await cache.get(["z"])) == {"z"}


async def test_a_floor_whose_caller_gave_up_is_owed(own_redis: RunningRedis) -> None:
    proxy = Proxy(own_redis.port)
    proxy.start()
    try:
        async with replicas(f"redis://127.0.0.1:{proxy.port}/0") as (cache,):
            await cache.put({"a": entry("a", 5, 1)})
            proxy.go_silent()
            raising = asyncio.create_task(cache.raise_floors({"a": Floor(6, 2)}))
            await asyncio.sleep(0.05)  # on its way
            raising.cancel()
            await asyncio.gather(raising, return_exceptions=True)
            proxy.pass_all()
            await settled(cache)
            assert await cache.get(["a"]) == {}
    finally:
        proxy.stop()
