"""The boundary to Solana: everything that the index keeps of threads, messages and the protocol, against the accounts.

Both ways: rows that have no account or another, and accounts that no row tells of. Rows are read first and accounts
after them, so that what differs is mostly under way: it counts once the index had its time and the chain has finalized.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from chorale.checking import lacking
from chorale.checking.findings import Checked
from chorale.checking.message_rows import MessageRows
from chorale.checking.pages import Round, all_pages
from chorale.checking.protocol_rows import check_protocol
from chorale.checking.reading import Reading
from chorale.checking.rows import is_hash
from chorale.checking.thread_rows import ThreadRows
from chorale.domain.boundaries import BoundaryName
from chorale.domain.conflict import Conflict, ConflictCause


class SolanaState:
    """Checks the index."""

    name = BoundaryName.SOLANA_STATE

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._index = reading.index
        self._batch = reading.limits.verification_batch
        self._threads = ThreadRows(reading)
        self._messages = MessageRows(reading)
        self._thread_round = Round(self._index.thread_ids)
        self._message_round = Round(self._index.hashes_after)

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        census = await self._index.census()
        yield Checked(0, (), census.threads + census.messages + census.staged + 1)
        yield Checked(1, await check_protocol(self._reading))
        async for thread_ids in all_pages(self._index.thread_ids, self._batch):
            yield await self._check_threads(thread_ids, whole_trees=True)
        async for hashes in all_pages(self._index.hashes_after, self._batch):
            yield Checked(len(hashes), await self._messages.check(hashes))
        async for thread_ids in lacking.threads(self._reading.chain, census.threads, self._batch):
            unknown = [key for key in thread_ids if not await self._index.thread_sequence(key)]
            if unknown:
                yield await self._check_threads(unknown, whole_trees=True)

    async def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        yield Checked(1, await check_protocol(self._reading), 1)
        if thread_ids := await self._thread_round.next(min(size, self._batch)):
            yield await self._check_threads(thread_ids, whole_trees=False)
        if hashes := await self._message_round.next(min(size, self._batch)):
            yield Checked(len(hashes), await self._messages.check(hashes), len(hashes))

    async def _check_threads(self, thread_ids: Sequence[str], *, whole_trees: bool) -> Checked:
        named = [thread_id for thread_id in thread_ids if is_hash(thread_id)]
        conflicts = [_strange(thread_id) for thread_id in thread_ids if not is_hash(thread_id)]
        found, short = await self._threads.check(named, whole_trees=whole_trees)
        conflicts += found
        for thread_id, account in short.items():
            async for hashes in lacking.messages(self._reading.chain, account, self._batch):
                rows = await self._index.kept_messages(hashes)
                absent = [key for key in hashes if key not in rows or rows[key].thread_id != thread_id]
                if absent:
                    conflicts += await self._messages.check_listed(thread_id, absent)
        return Checked(len(thread_ids), tuple(conflicts))


def _strange(thread_id: str) -> Conflict:
    return Conflict(ConflictCause.INDEX_WRONG, f"Thread:{thread_id}", thread_id, "the id of a thread", "a row of none")
