"""What the cache has to know before anyone is told of a change: the floors of all that it touched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TypeAlias

from chorale.domain.caching import EntityCache, Floor
from chorale.domain.chain import SlotTick
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import TransactionRecord
from chorale.domain.projection import Projection
from chorale.domain.updates import Authority
from chorale.projection.thread_names import names_thread
from programs.addresses import ProgramAddresses
from programs.wire import WireError

Feed: TypeAlias = AsyncIterator[TransactionRecord | SlotTick]


class Floors:
    """Raises floors in `cache`; without one there is nothing to raise."""

    def __init__(self, cache: EntityCache | None, addresses: ProgramAddresses) -> None:
        self._cache = cache
        self._addresses = addresses

    async def listening(self, feed: Feed) -> Feed:
        """What a subscription tells, each transaction once its floors stand."""
        async for item in feed:
            if isinstance(item, TransactionRecord):
                await self.heard(item)
            yield item

    async def stand_from(self, slot: int) -> None:
        """From here on every change is heard; what came before may have been missed."""
        if self._cache is not None:
            await self._cache.raise_all(slot)

    async def heard(self, record: TransactionRecord) -> None:
        """A transaction has changed what its events name, or who knows what where its log is cut."""
        if self._cache is None or not record.succeeded:
            return
        floors: Mapping[str, Floor] = {}
        untold = record.logs_cut
        try:
            floors = self._of(record)
        except WireError:  # nothing that this program logs; one transaction must not stop the others
            untold = True
        if untold:
            await self._cache.raise_all(record.slot)
        if floors:
            await self._cache.raise_floors(floors)

    async def changed(self, change: Projection) -> None:
        """The index is about to tell of this change. The floors of all changes up to its version stand afterwards."""
        if self._cache is not None:
            floors = {message.address: Floor(change.slot, message.sequence) for message in change.messages}
            floors[change.thread.address] = Floor(change.slot, change.thread.sequence)
            await self._cache.raise_floors(floors)

    async def confirmed(self, thread_id: str, content_hash: str | None, slot: int) -> None:
        """An update is confirmed at `slot`; which version it made is not known yet."""
        if self._cache is not None:
            thread = self._addresses.thread(thread_id)
            touched = [thread] if content_hash is None else [thread, self._addresses.message(thread, content_hash)]
            await self._cache.raise_floors(dict.fromkeys(touched, Floor(slot)))

    async def check(self) -> None:
        """Raises AuthorityUnavailableError where other replicas may not have been told of all this."""
        if self._cache is not None and not await self._cache.settled():
            raise AuthorityUnavailableError(Authority.BACKEND, "The shared cache could not be told of the change.")

    def _of(self, record: TransactionRecord) -> Mapping[str, Floor]:
        floors: dict[str, Floor] = {}
        for event in record.events:
            if not names_thread(event):
                continue
            touched = [event.thread]
            if "content_hash" in event.fields:
                touched.append(self._addresses.message(event.thread, str(event.fields["content_hash"])))
            for address in touched:
                floor = Floor(record.slot, event.sequence)
                floors[address] = floor if address not in floors else floors[address].joined(floor)
        return floors
