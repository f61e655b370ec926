"""CacheConflict: an entry that is older than its account, or differs from it. It is dropped and filled anew."""

from __future__ import annotations

import time

from chorale.domain.caching import CachedAccount, EntityCache
from chorale.domain.chain import AccountData
from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.ports import Chain
from chorale.reconciliation.resolution import Resolution, hash_of
from programs.accounts import AccountMalformed, sequence_in
from programs.addresses import ProgramAddresses

_ACCOUNTS = ("Account:", "User:")


class CacheResolver:
    """Rebuilds entries."""

    def __init__(self, chain: Chain, cache: EntityCache) -> None:
        self._chain = chain
        self._cache = cache
        self._addresses = ProgramAddresses(chain.program_id)

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver."""
        address = self._address(conflict)
        if address is None:
            return Settlement.FAILED, "The entry's account cannot be named: its thread is not known."
        slot, account = await self._read(address, conflict.slot)
        if await self._agrees(address, account):
            return None
        await self._cache.forget([address])
        if account is not None:
            entry = CachedAccount(account, slot, self._version(account), time.time())
            await self._cache.put({address: entry})
        _, account = await self._read(address, slot)
        if not await self._agrees(address, account):
            return Settlement.FAILED, "The entry was dropped, and what is served differs still."
        return Settlement.RESOLVED, f"The entry was dropped and filled from a read of slot {slot}."

    async def _read(self, address: str, min_slot: int) -> tuple[int, AccountData | None]:
        read = await self._chain.accounts([address], min_context_slot=min_slot or None)
        return read.slot, read.accounts[0]

    async def _agrees(self, address: str, account: AccountData | None) -> bool:
        """Whether nothing is served, or the account itself."""
        entry = (await self._cache.get([address])).get(address)
        if entry is None:
            return True
        return account is not None and (entry.account.owner, entry.account.data) == (account.owner, account.data)

    def _version(self, account: AccountData) -> int:
        try:
            return sequence_in(account.address, account.data) if account.owner == self._chain.program_id else 0
        except AccountMalformed:
            return 0  # neither a thread nor a message

    def _address(self, conflict: Conflict) -> str | None:
        for prefix in _ACCOUNTS:
            if conflict.subject.startswith(prefix):
                return conflict.subject.removeprefix(prefix)
        if not conflict.thread_id:
            return None
        thread = self._addresses.thread(conflict.thread_id)
        content_hash = hash_of(conflict)
        return thread if content_hash is None else self._addresses.message(thread, content_hash)
