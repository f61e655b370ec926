"""The entity cache in Redis through aiocache, shared by all replicas: one script per call, one connection pool.

A Redis that cannot be reached costs a read through and no more: after a failure it is left alone for a while. Floors
that could not be raised meanwhile are owed: until they are paid, nothing that Redis holds is served here.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain, repeat
from types import MappingProxyType
from typing import Any

from aiocache import RedisCache

from chorale.domain.caching import CachedAccount, Floor, Lookup
from chorale.limits import Limits
from datasources.cache import entities_scripts as scripts
from datasources.cache.entities_codec import Argument, entry_fields, entry_of, floor_fields, lookup_of
from datasources.cache.flights import Flights
from datasources.cache.owed import Owed
from datasources.cache.redis import REDIS_FAILS, open_redis_cache

_log = logging.getLogger(__name__)


_POLLS = (0.002, 0.005, 0.01, 0.02)  # s between looks at what another replica reads; the last one again and again


def _packed(entries: Mapping[str, CachedAccount]) -> list[Argument]:
    return [part for address, entry in entries.items() for part in (address, *entry_fields(entry))]


def _as_it_is(answer: Any) -> Any:
    return answer


@asynccontextmanager
async def open_redis_entities(
    url: str, name: str, limits: Limits, clock: Callable[[], float] = time.time
) -> AsyncIterator[RedisEntities]:
    """The cache `name` behind `redis(s)://…`. It need not be there yet."""
    async with open_redis_cache(url, timeout=limits.cache_timeout, retries=1) as cache:
        yield RedisEntities(cache, name, limits, clock)


class RedisEntities:
    """Implements `chorale.domain.caching.EntityCache`; `clock` gives unix seconds."""

    def __init__(self, cache: RedisCache, name: str, limits: Limits, clock: Callable[[], float]) -> None:
        self._key = f"{{chorale:entities:{name}}}"  # braces: all of it in one place of a cluster
        self._limits = limits
        self._clock = clock
        self._flights = Flights(limits.cache_flight)
        self._redis = cache.client
        self._scripts: dict[str, Any] = {}
        self._away_until = 0.0
        self._owed = Owed(limits.cache_entries)
        self._paying = asyncio.Lock()
        self._era = ""

    @property
    def era(self) -> str:
        """See EntityCache."""
        return self._era

    async def get(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """See EntityCache."""
        return (await self._look_up(addresses, frozenset())).found

    async def look_up(self, addresses: Sequence[str]) -> Lookup:
        """See EntityCache. In this process one reader at a time claims, among the processes Redis decides."""
        begun = self._flights.begin(addresses)
        lookup = Lookup({})
        try:
            lookup = await self._look_up(addresses, begun)
        finally:
            self._flights.end(begun - lookup.claimed)
        return lookup

    async def wait(self, addresses: Sequence[str]) -> None:
        """See EntityCache. For what another replica reads it is asked again and again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.cache_flight
        await self._flights.wait(addresses)
        for pause in chain(_POLLS, repeat(_POLLS[-1])):
            if loop.time() >= deadline or not await self._call(scripts.CLAIMED, addresses):
                return
            await asyncio.sleep(pause)

    async def put(self, entries: Mapping[str, CachedAccount], lookup: Lookup | None = None) -> None:
        """See EntityCache."""
        lookup = lookup or Lookup({})
        arguments: list[Argument] = [lookup.era, lookup.claim, self._limits.cache_entries, len(lookup.claimed)]
        arguments += lookup.claimed
        arguments += _packed(entries)
        try:
            if (entries or lookup.claimed) and await self._pay():
                await self._call(scripts.PUT, arguments)
        finally:
            self._flights.end(lookup.claimed)

    async def abandon(self, lookup: Lookup) -> None:
        """See EntityCache."""
        await self.put({}, lookup)

    async def last_known(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """See EntityCache."""

        def known(held: Any) -> dict[str, CachedAccount]:
            return {address: entry_of(address, one) for address, one in zip(addresses, held, strict=True) if one}

        return (await self._call(scripts.LAST_KNOWN, addresses, known) if addresses else None) or {}

    async def raise_floors(
        self, floors: Mapping[str, Floor], entries: Mapping[str, CachedAccount] | None = None, era: str = ""
    ) -> bool:
        """See EntityCache."""
        return await self._raise(Owed(self._limits.cache_entries, dict(floors)), entries if era else None, era)

    async def raise_all(self, slot: int) -> bool:
        """See EntityCache."""
        return await self._raise(Owed(self._limits.cache_entries, all_below=slot))

    async def settled(self) -> bool:
        """See EntityCache."""
        return await self._pay(at_once=True)

    async def forget(self, addresses: Sequence[str]) -> None:
        """See EntityCache."""
        if addresses and await self._call(scripts.FORGET, addresses) is None:
            _log.warning("%d entries of the cache could not be dropped: Redis is away.", len(addresses))

    async def clear(self) -> None:
        """See EntityCache."""
        await self._raise(Owed(self._limits.cache_entries, everything=True))

    async def sample(self, limit: int) -> Mapping[str, CachedAccount]:
        """See EntityCache."""

        def named(chosen: Any) -> list[str]:
            return [address.decode() for address in chosen]

        chosen = await self._call(scripts.SAMPLE, [limit], named) if limit > 0 else None
        return await self.get(chosen) if chosen else {}

    async def _look_up(self, addresses: Sequence[str], claim: frozenset[str]) -> Lookup:
        if not addresses or not await self._pay():
            return Lookup({})
        token = secrets.token_hex(8)
        limits = self._limits
        arguments: list[Argument] = [self._clock() - limits.cache_ttl, token, int(limits.cache_flight * 1000)]
        for address in addresses:
            arguments += [address, "1" if address in claim else "0"]
        looked: Lookup | None = await self._call(
            scripts.LOOK_UP, arguments, lambda answer: lookup_of(addresses, answer, token)
        )
        if looked is None or self._owed:  # what was owed meanwhile may forbid what was found
            return Lookup({})
        return looked

    async def _raise(self, raised: Owed, entries: Mapping[str, CachedAccount] | None = None, era: str = "") -> bool:
        try:
            stands = await self._pay() and await self._told(raised, entries or {}, era)
        except BaseException:  # given up by its caller: still owed
            self._owed.add(raised)
            raise
        if not stands:
            self._owed.add(raised)
        return stands

    async def _pay(self, *, at_once: bool = False) -> bool:
        """Raise what is owed; False where that has to wait. `at_once`: even if Redis was away just now."""
        if not self._owed and not self._paying.locked():
            return True
        async with self._paying:
            owed, self._owed = self._owed, Owed(self._limits.cache_entries)
            paid = False
            try:
                paid = not owed or await self._told(owed, at_once=at_once)
            finally:
                if not paid:
                    self._owed.add(owed)
        return not self._owed

    async def _told(
        self,
        owed: Owed,
        entries: Mapping[str, CachedAccount] = MappingProxyType({}),
        era: str = "",
        *,
        at_once: bool = False,
    ) -> bool:
        if owed.everything and await self._call(scripts.CLEAR, (), at_once=at_once) is None:
            return False
        arguments: list[Argument] = [self._limits.cache_entries, owed.all_below, era, len(owed.floors)]
        for address, floor in owed.floors.items():
            arguments += [address, *floor_fields(floor)]
        arguments += _packed(entries)
        era = await self._call(scripts.RAISE, arguments, bytes.decode, at_once=at_once)
        self._era = era or ""
        return era is not None

    async def _call(
        self,
        script: str,
        arguments: Sequence[Argument],
        read: Callable[[Any], Any] = _as_it_is,
        *,
        at_once: bool = False,
    ) -> Any:
        """What `read` makes of the script's answer; None where Redis is away, or answers what cannot be read. Of those
        who come after a pause one tries, the others do without it meanwhile."""
        clock = asyncio.get_running_loop().time
        pause, known = self._limits.breaker_pause, self._away_until > 0
        if known and not at_once and clock() < self._away_until:
            return None
        if known:
            self._away_until = clock() + self._limits.cache_timeout + pause
        run = self._scripts.get(script)
        if run is None:
            run = self._scripts[script] = self._redis.register_script(script)
        common = [secrets.token_hex(8), self._clock(), int(self._limits.cache_keep)]
        try:
            async with asyncio.timeout(self._limits.cache_timeout):
                answer = read(await run(keys=[self._key], args=[*common, *arguments]))
        except (*REDIS_FAILS, struct.error) as error:
            if self._away_until == 0:
                _log.warning("The cache is left alone until Redis answers again: %r", error)
            self._away_until = clock() + pause
            return None
        self._away_until = 0.0
        return answer
