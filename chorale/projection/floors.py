"""What the cache has to know before anyone is told of a change: the floors of all that it touched, and what the chain
has told along with it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TypeAlias

from chorale.domain.caching import CachedAccount, EntityCache, Floor
from chorale.domain.chain import AccountChange
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.domain.projection import Projection
from chorale.domain.updates import Authority
from chorale.projection.thread_names import names_thread
from programs.accounts import AccountMalformed, sequence_in
from programs.addresses import ProgramAddresses
from programs.wire import WireError

Feed: TypeAlias = AsyncIterator[FeedItem]

_THREADS = 20_000  # of which it is known how far their floors stand; of others the index knows


class Floors:
    """Raises floors in `cache`; without one there is nothing to raise. Entries are filled along with them while the
    cache is the one that a subscription has begun with: another may lack the floors of what was told meanwhile."""

    def __init__(self, cache: EntityCache | None, addresses: ProgramAddresses) -> None:
        self._cache = cache
        self._addresses = addresses
        self._era = ""
        self._stand: OrderedDict[str, int] = OrderedDict()

    async def listening(self, feed: Feed) -> Feed:
        """What a subscription tells, each transaction once its floors stand. Accounts come behind the transaction or
        slot before which they were told: nodes tell accounts and logs apart, and who finds an account ahead of the log
        that explains it would have to go through the thread's history."""
        told: list[AccountChange] = []
        async for item in feed:
            if isinstance(item, AccountChange):
                told.append(item)
                continue
            if isinstance(item, TransactionRecord):
                await self.heard(item, told)
            yield item
            for change in told:
                yield change
            told = []

    async def stand_from(self, slot: int) -> None:
        """From here on every change is heard; what came before may have been missed."""
        if self._cache is not None:
            await self._cache.raise_all(slot)
            self._era = self._cache.era

    def up_to(self, thread: str) -> int:
        """The version up to which the floors of a thread, by its address, and of all its messages surely stand; 0 where
        that is not known here."""
        return self._stand.get(thread, 0)

    async def heard(self, record: TransactionRecord, told: Iterable[AccountChange] = ()) -> None:
        """A transaction has changed what its events name, or who knows what where its log is cut; `told` is what has
        become of accounts by now."""
        if self._cache is None:
            return
        floors: Mapping[str, Floor] = {}
        untold = record.succeeded and record.logs_cut
        try:
            floors = self._of(record) if record.succeeded else {}
        except WireError:  # nothing that this program logs; one transaction must not stop the others
            untold = True
        if untold:
            await self._cache.raise_all(record.slot)
        entries = _told(told, self._addresses.program_id)
        if floors or entries:
            await self._cache.raise_floors(floors, entries, self._era)
            self._count(record)

    async def changed(self, change: Projection) -> None:
        """The index is about to tell of this change. The floors of all changes up to its version stand afterwards."""
        if self._cache is not None:
            floors = {message.address: Floor(change.slot, message.sequence) for message in change.messages}
            floors[change.thread.address] = Floor(change.slot, change.thread.sequence)
            await self._cache.raise_floors(floors, _read(change), self._era)
            self._put(change.thread.address, change.thread.sequence)

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

    def _count(self, record: TransactionRecord) -> None:
        """How far floors stand: without a gap, and back with a history that goes back."""
        made: dict[str, list[int]] = {}
        for event in record.events:
            made.setdefault(event.thread, []).append(event.sequence)
        for thread, sequences in made.items():
            known = self._stand.get(thread)
            if known is not None and min(sequences) <= known + 1:
                self._put(thread, max(sequences))

    def _put(self, thread: str, sequence: int) -> None:
        self._stand[thread] = sequence
        self._stand.move_to_end(thread)
        if len(self._stand) > _THREADS:
            self._stand.popitem(last=False)


def _read(change: Projection) -> dict[str, CachedAccount]:
    versions = {message.address: message.sequence for message in change.messages}
    versions[change.thread.address] = change.thread.sequence
    now = time.time()
    return {
        account.address: CachedAccount(account, change.slot, versions[account.address], now)
        for account in change.accounts
    }


def _told(changes: Iterable[AccountChange], program_id: str) -> dict[str, CachedAccount]:
    now = time.time()
    entries = {}
    for change in changes:
        account = change.account
        try:
            version = sequence_in(account.address, account.data)
        except AccountMalformed:
            continue  # the protocol's, or an empty one that anybody can assign to the program
        if account.owner == program_id:
            entries[account.address] = CachedAccount(account, change.slot, version, now)
    return entries
