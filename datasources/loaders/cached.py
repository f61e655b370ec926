"""Accounts of the answers' entities: from the cache where it surely is current, else from the chain, which fills it.

What decides anything (admission, verification, permissions of a mutation, preparation, the keeper) never comes here:
it asks the chain.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chorale.domain.availability import StaleRead
from chorale.domain.caching import CachedAccount, EntityCache, Lookup
from chorale.domain.chain import AccountData
from chorale.domain.measures import Measures
from chorale.domain.ports import IndexReader
from chorale.domain.updates import Authority
from programs.accounts import AccountMalformed, sequence_in

_LAG = 8  # slots that a subscription may be behind the reads beside it


class Entity(StrEnum):
    """What an account belongs to. Threads and messages are served from the cache; all others change past the program's
    events, so they are kept only for marked answers while Solana is away."""

    THREAD = "thread"
    MESSAGE = "message"
    USER = "user"
    OTHER = "other"

    @property
    def served(self) -> bool:
        """Whether an entry can be known to be current."""
        return self in (Entity.THREAD, Entity.MESSAGE)


def _not_known(_address: str) -> int:
    return 0


@dataclass(slots=True)
class ReadSlot:
    """The newest slot that a read was of."""

    newest: int = 0


@dataclass(frozen=True, slots=True)
class CachedReads:
    """The cache of this process with what tells how far it may be trusted: `heard_slot` is the newest slot that the
    chain has told this replica of, 0 while it does not hear the chain's changes as they happen; `floors_up_to` is, by
    address, the version of a thread up to which floors were raised without a gap, 0 where that is not known."""

    cache: EntityCache
    index: IndexReader
    measures: Measures
    heard_slot: Callable[[], int]
    program_id: str
    floors_up_to: Callable[[str], int] = _not_known
    read_slot: ReadSlot = field(default_factory=ReadSlot)

    def is_live(self) -> bool:
        """Whether what others change is heard here about as soon as it can be read."""
        heard = self.heard_slot()
        return heard > 0 and self.read_slot.newest - heard <= _LAG

    async def known_sequences(self, thread_ids: Mapping[str, str]) -> dict[str, int]:
        """By thread address: the version up to which the floors of a thread and all its messages surely stand, because
        this replica has raised them as it heard of each change, or before its index came so far. To be asked before the
        cache is."""
        return {
            address: max(await self.index.thread_sequence(id_), self.floors_up_to(address))
            for address, id_ in thread_ids.items()
        }

    async def look_up(self, addresses: Sequence[str], min_slot: int | None) -> Lookup:
        """What may be served, after what others are reading just now has come. Entries from before `min_slot` are left
        out."""
        lookup = await self.cache.look_up(addresses)
        if lookup.awaited:
            await self.cache.wait(sorted(lookup.awaited))
            again = await self.cache.get(sorted(lookup.awaited))
            lookup = Lookup(
                {**lookup.found, **again}, lookup.claimed, frozenset(), lookup.slot, lookup.era, lookup.claim
            )
        if min_slot is None:
            return lookup
        found = {address: entry for address, entry in lookup.found.items() if entry.slot >= min_slot}
        return Lookup(found, lookup.claimed, frozenset(), lookup.slot, lookup.era, lookup.claim)

    async def claim(self, addresses: Sequence[str]) -> Lookup:
        """For who is to be served nothing: how late a read has to be all the same, and where it may be kept."""
        lookup = await self.cache.look_up(addresses)
        slots = [entry.slot for entry in lookup.found.values()]
        slot = max((*slots, -1 if lookup.slot is None else lookup.slot), default=-1)
        return Lookup({}, lookup.claimed, frozenset(), None if slot < 0 else slot, lookup.era, lookup.claim)

    async def fill(
        self, read: Mapping[str, tuple[AccountData | None, int]], entities: Mapping[str, Entity], lookup: Lookup
    ) -> None:
        """Keep what was read (account and slot by address), and end the claims. What may be served later needs a
        `lookup` from before the read: without its era the cache may have lost the floors since."""
        now = time.time()
        entries = {}
        for address, (account, slot) in read.items():
            self.read_slot.newest = max(self.read_slot.newest, slot)
            entity = entities.get(address, Entity.OTHER)
            version = self.version(account, entity)
            if account is not None and version is not None and (lookup.era or not entity.served):
                entries[address] = CachedAccount(account, slot, version, now)
        if entries or lookup.claimed:
            await self.cache.put(entries, lookup if lookup.era else None)

    async def last_known(self, addresses: Sequence[str], min_slot: int | None) -> Mapping[str, CachedAccount]:
        """Whatever is held that was read at `min_slot` or later."""
        held = await self.cache.last_known(addresses)
        return {address: entry for address, entry in held.items() if entry.slot >= (min_slot or 0)}

    def count(
        self, known: object, keys: Sequence[str], hits: Mapping[str, object], entities: Mapping[str, Entity]
    ) -> None:
        """Report what was served of what was looked for; `known` is None where the cache was not asked."""
        if known is None:
            return
        asked = Counter(entities[key] for key in keys if entities.get(key, Entity.OTHER).served)
        found = Counter(entities[key] for key in hits)
        for entity, number in asked.items():
            self.measures.cache_read(entity.value, hits=found[entity], misses=number - found[entity])

    def version(self, account: AccountData | None, entity: Entity) -> int | None:
        """What an account is kept under; None where it is not kept."""
        if account is None:
            return None
        if not entity.served:
            return 0
        if account.owner != self.program_id:
            return None  # somebody has sent lamports to where an account will be
        try:
            return sequence_in(account.address, account.data)
        except AccountMalformed:
            return None


@dataclass(slots=True)
class Stale:
    """Whether an answer holds anything that was read before its authority went away."""

    read: StaleRead | None = None

    def note(self, entry: CachedAccount) -> None:
        """One more such read: the lowest slot and the oldest time stand for all."""
        read = self.read
        slot, read_at = entry.slot, entry.read_at
        if read is not None:
            slot, read_at = min(slot, read.slot), min(read_at, read.read_at)
        self.read = StaleRead(Authority.SOLANA, slot, read_at)
