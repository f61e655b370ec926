"""The entity cache: accounts of threads, messages and users as last read, each with the slot of that read.

An entry is served only while nothing has told of a later change. Whoever learns of one (the watcher as it hears of it,
the projector before it commits) raises the entity's floor first; an entry or a late fill from below the floor is never
served again. What is absent is simply read from the authority.

A slot alone does not say enough where transactions of one slot show one after another: what was read in a change's own
slot may be from before it. So a floor asks for a later slot, or for the version that the change made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chorale.domain.chain import AccountData


@dataclass(frozen=True, slots=True)
class CachedAccount:
    """An account as read at `slot`; absence is not kept. `version` is its thread's or message's own sequence, 0 for
    all others. `read_at` is unix seconds."""

    account: AccountData
    slot: int
    version: int
    read_at: float

    def follows(self, other: CachedAccount) -> bool:
        """Whether it may take the place of `other`."""
        return (self.slot, self.version) >= (other.slot, other.version)

    def contradicts(self, other: CachedAccount) -> bool:
        """Whether it was read later and shows less: then history itself has changed, and neither is to be trusted."""
        return self.slot > other.slot and self.version < other.version


@dataclass(frozen=True, slots=True)
class Floor:
    """A change at `slot`, which made `version` of the entity; None: that is not known."""

    slot: int
    version: int | None = None

    def admits(self, entry: CachedAccount) -> bool:
        """Whether the entry surely includes the change."""
        return entry.slot > self.slot or (self.version is not None and entry.version >= self.version)

    def joined(self, other: Floor) -> Floor:
        """The floor that admits only what both admit."""
        if self.version is not None and other.version is not None:
            return Floor(max(self.slot, other.slot), max(self.version, other.version))
        if self.slot == other.slot:
            return Floor(self.slot)
        return max(self, other, key=lambda floor: floor.slot)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the cache answers before a read of the chain.

    `found` may be served. Of the rest, `claimed` is the caller's to read and then to put or abandon, `awaited` is being
    read by others. `slot` is the slot that a read of the rest must have reached. `era` names the cache's contents, so
    that a fill never lands in a cache that has lost its floors since."""

    found: Mapping[str, CachedAccount]
    claimed: frozenset[str] = frozenset()
    awaited: frozenset[str] = frozenset()
    slot: int | None = None
    era: str = ""
    claim: str = field(default="", repr=False)


class EntityCache(Protocol):
    """Shared by all replicas where it is Redis. Where it is away it answers nothing and forgets nothing that is needed:
    reads then go to the authority. Never raises."""

    @property
    def era(self) -> str:
        """Names the contents as last seen; "" where that is not known. A fill that names an earlier one is refused:
        floors may have been lost between the two."""

    async def get(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """Entries that may be served; those that are absent, below their floor or past their age are left out."""

    async def look_up(self, addresses: Sequence[str]) -> Lookup:
        """The same for a reader who reads the rest: of many on all replicas one gets the claim to an entity."""

    async def wait(self, addresses: Sequence[str]) -> None:
        """Until none of these is being read by others, as long as a claim lasts at most."""

    async def put(self, entries: Mapping[str, CachedAccount], lookup: Lookup | None = None) -> None:
        """Fill, after `lookup` where there was one; its claims end. One older than the one held changes nothing, nor
        does one from below the floor where the one held is served: it is only ever known, not served."""

    async def abandon(self, lookup: Lookup) -> None:
        """End its claims without an entry."""

    async def last_known(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """Whatever is held, however old: for marked answers while the chain is away."""

    async def raise_floors(
        self, floors: Mapping[str, Floor], entries: Mapping[str, CachedAccount] | None = None, era: str = ""
    ) -> bool:
        """From now on only what is admitted is served of these addresses, on any replica. False: the shared cache is
        away. Until it has been told, this replica serves nothing from it. In the same step `entries` that were learnt
        of in `era` are filled."""

    async def raise_all(self, slot: int) -> bool:
        """The same for every address at once: for whoever does not know what has changed up to `slot`."""

    async def settled(self) -> bool:
        """Whether all floors raised so far stand; tries once more where they do not."""

    async def forget(self, addresses: Sequence[str]) -> None:
        """Drop entries that are wrong (reconcile); their floors stay."""

    async def clear(self) -> None:
        """Drop everything: another chain."""

    async def sample(self, limit: int) -> Mapping[str, CachedAccount]:
        """Some entries that may be served now, others each time (verification)."""
