"""The boundary of the backend: what the entity cache would serve now, against the accounts.

Only threads and messages are served from it; whatever else it keeps is for marked answers while the chain is away.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from chorale.checking.findings import Checked
from chorale.checking.pages import all_pages
from chorale.checking.reading import Reading
from chorale.checking.rows import is_hash
from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.boundaries import BoundaryName
from chorale.domain.caching import CachedAccount, EntityCache
from chorale.domain.chain import AccountData, Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from programs.accounts import AccountMalformed, decode_account


class BackendCache:
    """Checks the entity cache."""

    name = BoundaryName.BACKEND_CACHE

    def __init__(self, reading: Reading, cache: EntityCache) -> None:
        self._reading = reading
        self._chain = reading.chain
        self._index = reading.index
        self._addresses = reading.addresses
        self._batch = reading.limits.verification_batch
        self._cache = cache

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """See Checker. What may be served belongs to a thread or message that the index lists."""
        async for thread_ids in all_pages(self._index.thread_ids, self._batch):
            yield await self._check([self._addresses.thread(each) for each in thread_ids if is_hash(each)])
        async for hashes in all_pages(self._index.hashes_after, self._batch):
            rows = await self._index.kept_messages(hashes)
            yield await self._check(
                [
                    self._addresses.message(self._addresses.thread(row.thread_id), key)
                    for key, row in rows.items()
                    if is_hash(key) and is_hash(row.thread_id)
                ]
            )

    async def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        yield await self._check(list(await self._cache.sample(min(size, self._batch))))

    async def _check(self, addresses: Sequence[str]) -> Checked:
        entries = await self._served(addresses)
        if not entries:
            return Checked(0)
        slot, doubts = await self._differing(entries, Commitment.CONFIRMED, None)
        conflicts: tuple[Conflict, ...] = ()
        if doubts:
            conflicts = await self._confirmed(doubts, slot)
        return Checked(len(entries), conflicts, len(entries))

    async def _confirmed(self, doubts: Mapping[str, AccountData | None], slot: int) -> tuple[Conflict, ...]:
        """What is served even though the index has reached what the chain showed: floors are raised before that."""
        sequences: dict[str, int] = {}
        for data in doubts.values():
            account = self._decoded(data)
            thread_id = await self._thread_of(account)
            if account is not None and thread_id:
                sequences[thread_id] = max(account.sequence, sequences.get(thread_id, 0))
        await self._reading.arrived(sequences, slot)
        entries = await self._served(list(doubts))
        reached = max(await self._chain.slot(), slot)
        if not entries:
            return ()
        await self._reading.finalized(reached)
        slot, again = await self._differing(entries, Commitment.FINALIZED, reached)
        conflicts = []
        for address, data in again.items():
            account, first = self._decoded(data), self._decoded(doubts[address])
            entry = entries[address]
            if account is not None and first is not None and entry.version >= first.sequence != account.sequence:
                continue  # it changed once more meanwhile
            conflicts.append(await self._conflict(entry, account, slot))
        return tuple(conflicts)

    async def _served(self, addresses: Sequence[str]) -> dict[str, CachedAccount]:
        found = await self._cache.get(addresses)
        return {key: entry for key, entry in found.items() if entry.account.owner == self._chain.program_id}

    async def _differing(
        self, entries: Mapping[str, CachedAccount], commitment: Commitment, min_slot: int | None
    ) -> tuple[int, dict[str, AccountData | None]]:
        read = await self._chain.accounts(list(entries), commitment=commitment, min_context_slot=min_slot)
        pairs = zip(entries.items(), read.accounts, strict=True)
        return read.slot, {
            address: data
            for (address, entry), data in pairs
            if data is None or (data.owner, data.data) != (entry.account.owner, entry.account.data)
        }

    async def _conflict(
        self, entry: CachedAccount, account: ThreadAccount | MessageAccount | None, slot: int
    ) -> Conflict:
        stale = account is not None and entry.version < account.sequence
        known = account or self._decoded(entry.account)
        subject = f"Account:{entry.account.address}"
        if isinstance(known, MessageAccount):
            subject = f"Message:{known.content_hash}"
        elif isinstance(known, ThreadAccount):
            subject = f"Thread:{known.thread_id}"
        return Conflict(
            ConflictCause.CACHE_STALE if stale else ConflictCause.CACHE_WRONG,
            subject,
            await self._thread_of(known),
            "no account" if account is None else f"sequence {account.sequence}",
            f"an entry of sequence {entry.version}, read at slot {entry.slot}",
            slot,
            0 if account is None else account.sequence,
        )

    async def _thread_of(self, account: ThreadAccount | MessageAccount | None) -> str:
        if isinstance(account, ThreadAccount):
            return account.thread_id
        return (await self._index.thread_id_at(account.thread) or "") if account is not None else ""

    def _decoded(self, data: AccountData | None) -> ThreadAccount | MessageAccount | None:
        try:
            account = None if data is None else decode_account(data.address, data.data)
        except AccountMalformed:
            return None
        return account if isinstance(account, ThreadAccount | MessageAccount) else None
