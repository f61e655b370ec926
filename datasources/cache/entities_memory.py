"""The entity cache of one process: aiocache's memory backend behind the rules of floors, least recently used last."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiocache import SimpleMemoryCache

from chorale.domain.caching import CachedAccount, Floor, Lookup
from chorale.limits import Limits
from datasources.cache.flights import Flights


@dataclass(frozen=True, slots=True)
class Held:
    """What stands under an address: an entry, a floor, or both."""

    entry: CachedAccount | None = None
    floor: Floor | None = None

    @property
    def admitted(self) -> bool:
        """Whether there is an entry that its floor admits."""
        return self.entry is not None and (self.floor is None or self.floor.admits(self.entry))

    def filled(self, entry: CachedAccount) -> Held:
        """With `entry` in place, where it may take it. One that its floor does not admit is known and not served."""
        if self.admitted and self.floor is not None and not self.floor.admits(entry):
            return self
        if self.entry is None or entry.follows(self.entry):
            contradiction = self.entry is not None and entry.contradicts(self.entry)
            return Held(None if contradiction else entry, self.floor)
        return self

    def raised(self, floor: Floor) -> Held:
        """With at least this floor."""
        return Held(self.entry, floor if self.floor is None else self.floor.joined(floor))


class MemoryEntities:
    """Implements `chorale.domain.caching.EntityCache`; `clock` gives unix seconds."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self._most = limits.cache_entries
        self._ttl = limits.cache_ttl
        self._clock = clock
        self._flights = Flights(limits.cache_flight)
        self._one = asyncio.Lock()
        self._start()

    def _start(self) -> None:
        self._cache = SimpleMemoryCache(timeout=None)
        self._used: OrderedDict[str, None] = OrderedDict()
        self._served_above = self._filled_above = -1
        self._era = secrets.token_hex(8)

    @property
    def era(self) -> str:
        """See EntityCache."""
        return self._era

    async def get(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """See EntityCache."""
        async with self._one:
            return self._servable(await self._held(addresses))

    async def look_up(self, addresses: Sequence[str]) -> Lookup:
        """See EntityCache."""
        async with self._one:
            held = await self._held(addresses)
            found = self._servable(held)
            missing = [address for address in addresses if address not in found]
            floors = [one.floor.slot for one in map(held.get, missing) if one is not None and one.floor is not None]
            claimed = self._flights.begin(missing)
            return Lookup(
                found=found,
                claimed=claimed,
                awaited=frozenset(missing) - claimed,
                slot=max(floors, default=None) if missing else None,
                era=self._era,
            )

    async def wait(self, addresses: Sequence[str]) -> None:
        """See EntityCache."""
        await self._flights.wait(addresses)

    async def put(self, entries: Mapping[str, CachedAccount], lookup: Lookup | None = None) -> None:
        """See EntityCache."""
        async with self._one:
            # Without an era nothing was looked up.
            if fresh := self._fresh(entries, (lookup and lookup.era) or self._era):
                held = await self._held(fresh)
                await self._keep({a: held.get(a, Held()).filled(entry) for a, entry in fresh.items()})
        if lookup is not None:
            self._flights.end(lookup.claimed)

    async def abandon(self, lookup: Lookup) -> None:
        """See EntityCache."""
        self._flights.end(lookup.claimed)

    async def last_known(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """See EntityCache."""
        async with self._one:
            held = await self._held(addresses)
        return {address: one.entry for address, one in held.items() if one.entry is not None}

    async def raise_floors(
        self, floors: Mapping[str, Floor], entries: Mapping[str, CachedAccount] | None = None, era: str = ""
    ) -> bool:
        """See EntityCache; memory is never away."""
        async with self._one:
            fresh = self._fresh(entries or {}, era)
            held = await self._held([*floors, *(address for address in fresh if address not in floors)])
            for address, floor in floors.items():
                held[address] = held.get(address, Held()).raised(floor)
            for address, entry in fresh.items():
                held[address] = held.get(address, Held()).filled(entry)
            await self._keep(held)
        return True

    async def raise_all(self, slot: int) -> bool:
        """See EntityCache."""
        self._served_above = max(self._served_above, slot)
        return True

    async def settled(self) -> bool:
        """See EntityCache."""
        return True

    async def forget(self, addresses: Sequence[str]) -> None:
        """See EntityCache."""
        async with self._one:
            held = await self._held(addresses)
            await self._keep({address: Held(None, one.floor) for address, one in held.items()})

    async def clear(self) -> None:
        """See EntityCache."""
        async with self._one:
            self._start()

    async def sample(self, limit: int) -> Mapping[str, CachedAccount]:
        """See EntityCache."""
        async with self._one:
            chosen = random.sample(list(self._used), min(limit, len(self._used)))
            return self._servable(dict(zip(chosen, await self._cache.multi_get(chosen), strict=True)))

    async def _held(self, addresses: Sequence[str] | Mapping[str, object]) -> dict[str, Held]:
        """What stands under those that are known; they count as used."""
        known = [address for address in addresses if address in self._used]
        for address in known:
            self._used.move_to_end(address)
        return dict(zip(known, await self._cache.multi_get(known), strict=True))

    def _fresh(self, entries: Mapping[str, CachedAccount], era: str) -> dict[str, CachedAccount]:
        """Those that may be filled: their floors, if any, are still here."""
        above = self._filled_above
        return {a: entry for a, entry in entries.items() if entry.slot > above} if era == self._era else {}

    def _servable(self, held: Mapping[str, Held]) -> dict[str, CachedAccount]:
        oldest = self._clock() - self._ttl
        return {
            address: one.entry
            for address, one in held.items()
            if one.entry is not None
            and one.admitted
            and one.entry.slot > self._served_above
            and one.entry.read_at > oldest
        }

    async def _keep(self, held: Mapping[str, Held]) -> None:
        await self._cache.multi_set(list(held.items()))
        for address in held:
            self._used[address] = None
            self._used.move_to_end(address)
        while len(self._used) > self._most:
            address, _ = self._used.popitem(last=False)
            gone: Held = await self._cache.get(address)
            await self._cache.delete(address)
            if gone.floor is not None:  # what it kept out must stay out
                self._filled_above = max(self._filled_above, gone.floor.slot)
