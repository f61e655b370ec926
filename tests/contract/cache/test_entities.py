"""The cache serves what no floor forbids, for its time to live, keeps the most used, and lets one of many fill."""

from __future__ import annotations

import asyncio
import time

import pytest

from chorale.domain.caching import EntityCache, Floor, Lookup
from chorale.limits import Limits
from tests.contract.cache.conftest import Opener
from tests.contract.cache.samples import entry
from tests.patience import PATIENCE

LIMITS = Limits(cache_flight=20.0, cache_timeout=20.0)


async def test_what_is_put_is_served_byte_for_byte(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        put = {at: entry(at, 2**40, 2**41) for at in "ab"}
        await cache.put(put)
        assert await cache.get(["a", "b", "c"]) == put
        assert await cache.get([]) == {}


async def test_what_was_read_in_the_slot_of_a_change_is_served_only_with_that_change(opener: Opener) -> None:
    """Several transactions of one slot show one after another: a slot alone does not tell which were read."""
    async with opener(LIMITS) as cache:
        await cache.put({"a": entry("a", 7, 1)})
        await cache.raise_floors({"a": Floor(7, 1)})  # told of after it was read
        assert (await cache.get(["a"]))["a"].version == 1
        await cache.raise_floors({"a": Floor(7, 2)})  # the second transaction of the slot
        assert await cache.get(["a"]) == {}
        await cache.put({"a": entry("a", 7, 1)})
        assert await cache.get(["a"]) == {}
        await cache.put({"a": entry("a", 7, 2)})
        assert (await cache.get(["a"]))["a"].version == 2
        await cache.raise_floors({"a": Floor(7)})  # and one of which only the slot is known
        assert await cache.get(["a"]) == {}
        await cache.put({"a": entry("a", 8, 3)})
        assert (await cache.get(["a"]))["a"].version == 3


async def test_a_change_is_told_together_with_what_it_made(opener: Opener) -> None:
    """One step raises floors and fills, unless the cache has been emptied since the entries were learnt of."""
    async with opener(LIMITS) as cache:
        await cache.raise_all(3)
        era = cache.era
        assert era
        made = {"a": entry("a", 7, 2), "b": entry("b", 7, 1)}
        assert await cache.raise_floors({"a": Floor(7, 2)}, made, era)
        assert await cache.get(["a", "b"]) == made
        await cache.raise_floors({"a": Floor(8, 3)}, {"a": entry("a", 7, 2), "b": entry("b", 6, 0)}, era)
        assert await cache.get(["a", "b"]) == {"b": made["b"]}
        await cache.clear()
        assert await cache.raise_floors({"a": Floor(9, 4)}, {"a": entry("a", 9, 4)}, era)
        await cache.raise_floors({}, {"b": entry("b", 9, 4)})
        assert await cache.last_known(["a", "b"]) == {}
        assert (await cache.look_up(["a"])).slot == 9


async def test_a_read_after_a_miss_must_reach_the_floor(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        assert (await cache.look_up(["a"])).slot is None
        await cache.raise_floors({"a": Floor(9, 4), "b": Floor(12)})
        assert (await cache.look_up(["a", "b", "c"])).slot == 12


async def test_entries_are_served_for_their_time_and_known_beyond_it(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        old = entry("a", 5, 1, read_at=time.time() - LIMITS.cache_ttl - 1)
        await cache.put({"a": old})
        assert await cache.get(["a"]) == {}
        assert await cache.last_known(["a", "b"]) == {"a": old}


async def test_what_a_floor_forbids_is_known_all_the_same(opener: Opener) -> None:
    """Read in the slot of a change whose version nobody knows yet: not to be served, and still the newest there is."""
    async with opener(LIMITS) as cache:
        await cache.put({"a": entry("a", 5, 1)})
        await cache.raise_floors({"a": Floor(7), "b": Floor(7)})
        read = {at: entry(at, 7, 2) for at in "ab"}
        await cache.put(read)
        assert await cache.get(["a", "b"]) == {}
        assert await cache.last_known(["a", "b"]) == read
        await cache.put({"a": entry("a", 6, 1)})
        assert await cache.last_known(["a", "b"]) == read
        await cache.put({"a": entry("a", 8, 2)})
        await cache.put({"a": entry("a", 7, 2)})
        assert (await cache.get(["a"]))["a"].slot == 8
        await cache.raise_all(9)
        await cache.put({"a": entry("a", 9, 3)})
        assert await cache.get(["a"]) == {}
        assert (await cache.last_known(["a"]))["a"].version == 3


async def test_what_is_used_least_goes_first_and_its_floor_still_holds(opener: Opener) -> None:
    async with opener(Limits(cache_entries=3)) as cache:
        for number, at in enumerate("abc"):
            await cache.put({at: entry(at, 10 + number, 1)})
            await asyncio.sleep(0.002)  # use is told apart by time
        await cache.raise_floors({"b": Floor(20, 2)})
        await cache.get(["a", "c"])
        await cache.put({"d": entry("d", 21, 1), "e": entry("e", 21, 1)})
        held = await cache.last_known(list("abcde"))
        assert len(held) == 3
        assert {"d", "e"} < held.keys()
        await cache.put({"b": entry("b", 15, 1)})  # a late fill from before the floor that had to go
        assert await cache.get(["b"]) == {}


async def test_an_entry_that_contradicts_the_one_held_drops_it(opener: Opener) -> None:
    """Read later and showing less: history has changed, and the next read decides."""
    async with opener(LIMITS) as cache:
        await cache.put({"a": entry("a", 5, 9)})
        await cache.put({"a": entry("a", 6, 8)})
        assert await cache.last_known(["a"]) == {}
        await cache.put({"a": entry("a", 6, 8)})
        assert (await cache.get(["a"]))["a"].version == 8


async def test_forgotten_entries_go_and_floors_stay(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        await cache.put({"a": entry("a", 5, 3), "b": entry("b", 5, 3)})
        await cache.raise_floors({"a": Floor(5, 3)})
        await cache.forget(["a"])
        assert set(await cache.get(["a", "b"])) == {"b"}
        await cache.put({"a": entry("a", 5, 2)})
        assert await cache.get(["a"]) == {}


async def test_one_of_many_reads_and_the_others_find_what_it_read(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        reads = 0

        async def read() -> int:
            nonlocal reads
            lookup = await cache.look_up(["a"])
            if lookup.awaited:
                await cache.wait(sorted(lookup.awaited))
                return (await cache.get(["a"]))["a"].version
            if not lookup.found:
                reads += 1
                await asyncio.sleep(0.05)  # the chain
                await cache.put({"a": entry("a", 5, 3)}, lookup)
            return 3

        assert await asyncio.gather(*(read() for _ in range(50))) == [3] * 50
        assert reads == 1


async def test_a_claim_that_is_given_up_or_abandoned_goes_to_the_next(opener: Opener) -> None:
    async with opener(Limits(cache_flight=0.2)) as cache:
        first = await cache.look_up(["a"])
        assert first.claimed == {"a"}
        assert (await cache.look_up(["a"])).awaited == {"a"}
        await cache.abandon(first)
        second = await cache.look_up(["a"])
        assert second.claimed == {"a"}  # and now its reader is never heard of again
        begun = time.monotonic()
        await cache.wait(["a"])
        assert time.monotonic() - begun >= 0.1
        await _claimable(cache)


async def _claimable(cache: EntityCache) -> None:
    async with asyncio.timeout(PATIENCE):
        while not (await cache.look_up(["a"])).claimed:
            await cache.wait(["a"])


async def test_what_was_never_looked_up_is_kept(opener: Opener) -> None:
    """Balances are kept for the time when Solana is away, without being asked for before."""
    async with opener(LIMITS) as cache:
        await cache.put({"a": entry("a", 5, 0)}, Lookup({}))
        assert set(await cache.last_known(["a"])) == {"a"}


async def test_a_fill_never_lands_behind_a_clear(opener: Opener) -> None:
    async with opener(LIMITS) as cache:
        lookup = await cache.look_up(["a"])
        await cache.raise_floors({"a": Floor(6, 2)})
        await cache.clear()
        await cache.put({"a": entry("a", 5, 1)}, lookup)
        assert await cache.get(["a"]) == {}


@pytest.mark.parametrize("size", [100])
async def test_samples_are_of_what_may_be_served(opener: Opener, size: int) -> None:
    async with opener(LIMITS) as cache:
        await cache.put({str(number): entry(str(number), 5, 1) for number in range(size)})
        await cache.raise_floors({str(number): Floor(5, 2) for number in range(0, size, 2)})
        first, second = await cache.sample(40), await cache.sample(40)
        assert all(int(at) % 2 for at in first)
        assert 0 < len(first) <= 40
        assert set(first) != set(second)
        assert await cache.sample(0) == {}
