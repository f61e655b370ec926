"""The entity cache: accounts of threads, messages and users as last read, each with the slot of that read.

An entry is served only while nothing has told of a later change. Whoever learns of one (the projector from the watcher,
an update from its confirmation) raises the entity's floor first; an entry or a late fill from below the floor is never
served again. What is absent is simply read from the authority.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chorale.domain.chain import AccountData


@dataclass(frozen=True, slots=True)
class CachedAccount:
    """An account as read at `slot`; `account` is None where the chain had none. `version` is its thread's or message's
    own sequence, 0 for users. `read_at` is unix seconds."""

    account: AccountData | None
    slot: int
    version: int
    read_at: float


class EntityCache(Protocol):
    """Shared by all replicas where it is Redis. Where it is away it answers nothing and forgets nothing that is needed:
    reads then go to the authority. Never raises."""

    async def get(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """Entries that may be served; those that are absent, below their floor or past their age are left out."""

    async def last_known(self, addresses: Sequence[str]) -> Mapping[str, CachedAccount]:
        """Whatever is held, however old: for marked answers while the chain is away."""

    async def put(self, entries: Mapping[str, CachedAccount]) -> None:
        """Fill; an entry from below the floor, or older than the one held, changes nothing."""

    async def raise_floor(self, addresses: Sequence[str], slot: int) -> None:
        """From now on nothing read before `slot` is served for these addresses, on any replica."""

    async def forget(self, addresses: Sequence[str]) -> None:
        """Drop entries that are wrong (reconcile)."""

    async def clear(self) -> None:
        """Drop everything: another chain."""

    async def sample(self, limit: int) -> Mapping[str, CachedAccount]:
        """Some entries that may be served now, others each time (verification)."""
