"""The projector: the only writer of derived state.

One lane per thread; a lane takes all who wait for the thread, brings it up to the chain in one round and answers them
together. A round goes in a fixed order: read the change, promote content (idempotent), commit the index once, and with
that commit subscribers wake. Whatever is interrupted in between is simply done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from chorale.domain.approval import MessageStatus
from chorale.domain.caching import EntityCache
from chorale.domain.content import ContentKey, ContentKind, Embedding, StoredContent
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError, IndexDivergedError
from chorale.domain.events import LoggedEvent, NewEvent, TransactionRecord
from chorale.domain.lease import Lease, OwnLease
from chorale.domain.ports import Chain, ContentStore, Embedder, Index
from chorale.domain.projection import ListedThread, Projection, Settled, ThreadProgress
from chorale.domain.updates import Authority
from chorale.projection.floors import Floors
from chorale.projection.heard_accounts import HeardAccounts
from chorale.projection.lanes import Lane, Lanes, Request
from chorale.projection.progress import ChainProgress
from chorale.projection.promotion import Promoter
from chorale.projection.protocol_lane import ProtocolLane
from chorale.projection.thread_changes import ThreadChanges
from chorale.projection.turns import Turns
from programs.addresses import ProgramAddresses

_PAUSES = (0.05, 0.2, 0.8)  # s before looking again for a transaction that the node does not show yet


class Projector:
    """Writes Qdrant's promotions, the index and its log. `progress` is the watcher's place on the chain, `protocol` the
    lane of what all threads share, `floors` what the cache is told before anyone else, `heard` what the subscription
    tells of accounts. Where replicas share the content, the one that holds `lease` promotes, and the others wait for
    it, at most `patience` seconds, before they do it themselves."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        embedder: Embedder,
        index: Index,
        *,
        lease: Lease | None = None,
        patience: float = 0.0,
        cache: EntityCache | None = None,
    ) -> None:
        self.progress = ChainProgress()
        self.floors = Floors(cache, ProgramAddresses(chain.program_id))
        self._chain = chain
        self._index = index
        self._addresses = ProgramAddresses(chain.program_id)
        self.protocol = ProtocolLane(chain, index)
        self.heard = HeardAccounts()
        self._changes = ThreadChanges(chain, self.heard)
        self._promoter = Promoter(content, embedder, Turns(lease or OwnLease(), patience))
        self._lanes = Lanes(self._round)

    async def settle(
        self,
        thread_id: str,
        signature: str | None = None,
        *,
        min_slot: int | None = None,
        record: TransactionRecord | None = None,
    ) -> Settled:
        """Bring a thread up to the chain; returns once everything derived includes the transaction `signature`, if one
        is named. Quick where that has happened already, and shared by all who ask at the same time.

        `min_slot` is a slot that the read must have reached, `record` the transaction where the caller has it. A
        transaction that failed or left the thread alone needs nothing. Raises AuthorityUnavailableError where Solana or
        Qdrant stay away, MinimumSlotNotReachedError, StaleReadError.
        """
        # Whoever brings the transaction has only just heard of it; the round sees whether another did so before.
        if signature is not None and record is None:
            settled = await self._index.settled(thread_id, signature)
            if settled is not None:
                return settled
        reached = max(min_slot or 0, record.slot if record is not None else 0)
        return await self._lanes.ask(thread_id, signature, reached, record)

    def expect(self, thread_id: str, record: TransactionRecord) -> None:
        """Say ahead that `settle` is about to be asked with this transaction."""
        self._lanes.expect(thread_id, record)

    @property
    def waiting(self) -> int:
        """How many requests wait for their thread's turn."""
        return self._lanes.waiting

    def offer_embedding(self, key: ContentKey, embedding: asyncio.Future[Embedding]) -> None:
        """Hand in an embedding that is computed while its transaction is under way, so that it is computed once."""
        self._promoter.offer(key, embedding)

    async def note_staged(self, *staged: StoredContent) -> None:
        """List staged messages for their authors; what has an account already is promoted instead."""
        await self._index.stage(staged)
        landed: dict[str, list[str]] = {}
        for content in staged:
            if content.key.kind is ContentKind.TITLE:
                landed.setdefault(content.key.thread_id, [])
                continue
            found = await self._index.thread_of(content.key.hash)
            if found is not None and found[1] is not MessageStatus.STAGED:
                landed.setdefault(found[0], []).append(content.key.hash)
        for thread_id, content_hashes in landed.items():
            if await self._index.thread_sequence(thread_id):
                await self.refresh(thread_id, content_hashes)

    async def forget_staged(self, content_hashes: Sequence[str]) -> None:
        """Messages whose staged bytes were collected."""
        await self._index.unstage(content_hashes)

    async def refresh(self, thread_id: str, content_hashes: Iterable[str] = ()) -> None:
        """Promote a thread's title and some of its messages once more, from the accounts as they are now."""
        thread, messages = await self._changes.messages(thread_id, content_hashes)
        if thread is not None:
            await self._promoter.promote(thread, messages, title=True)

    async def listed(self, thread_id: str, content_hash: str | None) -> ListedThread | None:
        """What the lists hold of a thread and one of its messages; see IndexReader."""
        return await self._index.listed(thread_id, content_hash)

    async def announce(self, event: NewEvent) -> LoggedEvent | None:
        """Log an event that the server makes itself; None where it is there already."""
        return await self._index.append(event)

    async def save_cursor(self) -> None:
        """Keep the watcher's place where no change of a thread has carried it."""
        cursor = self.progress.cursor
        if cursor is not None and cursor != await self._index.chain_cursor():
            await self._index.advance(cursor)

    async def close(self) -> None:
        """Stop. What is under way is abandoned between two steps, and done again after the next start."""
        await self._lanes.close()

    async def _round(self, lane: Lane, batch: Sequence[Request]) -> None:
        known = await self._index.progress(lane.thread_id)
        batch = [request for request in batch if not await self._answered(lane, request, known)]
        if not batch:
            return
        await self._learn(lane, {request.signature for request in batch if request.signature is not None})
        settled = await self._project(lane, known, max(request.min_slot for request in batch))
        for request in batch:
            if request.signature is None:
                request.answer(settled)
                continue
            try:
                found = await self._arrived(lane, request, request.signature, settled)
            except ChoraleError as error:
                request.refuse(error)
            else:
                if found is not None:
                    request.answer(found)
        lane.records = {
            signature: record
            for signature, record in lane.records.items()
            if self._last(lane, record)[0] > settled.sequence
        }

    async def _answered(self, lane: Lane, request: Request, known: ThreadProgress) -> bool:
        """Whether the round before has settled it: often the watcher's, which asked before the mutation did."""
        if request.signature is None:
            return False
        record = lane.records.get(request.signature)
        if record is not None and self._last(lane, record)[0] > known.sequence:
            return False  # nothing of this sequence is in the log
        settled = await self._index.settled(lane.thread_id, request.signature)
        if settled is not None:
            request.answer(settled)
        return settled is not None

    async def _learn(self, lane: Lane, signatures: set[str]) -> None:
        """Ask for the transactions that are waited for: their events save the way through the thread's history."""
        unknown = sorted(signatures - lane.records.keys())
        for record in await self._chain.transactions(unknown) if unknown else ():
            if record is not None:
                lane.know(record)

    async def _project(self, lane: Lane, known: ThreadProgress, min_slot: int) -> Settled:
        records = tuple(lane.records.values())
        change = await self._changes.since(lane.thread_id, known, records, min_slot)
        if change is not None:
            try:
                return await self._commit(change, known)
            except IndexDivergedError:
                known = await self._index.progress(lane.thread_id)  # `reconcile` may have made it older meanwhile
                change = await self._changes.whole(lane.thread_id, known, records, min_slot)
                if change is not None:
                    return await self._commit(change, known)
        return Settled(known.sequence, known.slot, await self._index.latest(lane.thread_id))

    async def _commit(self, change: Projection, known: ThreadProgress) -> Settled:
        thread_id = change.thread.thread_id
        await self.floors.changed(change)
        await self._promoter.promote(change.thread, change.messages, title=known.sequence == 0)
        signatures = {event.signature for event in change.events if event.signature is not None}
        cursor = self.progress.cursor_after(thread_id, signatures)
        position = await self._index.apply(replace(change, cursor=cursor, since=known.sequence))
        self.progress.settle(thread_id, signatures)
        return Settled(change.thread.sequence, change.slot, position)

    async def _arrived(self, lane: Lane, request: Request, signature: str, now: Settled) -> Settled | None:
        """The answer to a request that names a transaction; None where it has to wait for another round."""
        record = lane.records.get(signature)
        if record is not None and self._last(lane, record) == (now.position.sequence, now.position.ordinal):
            return now  # its last event is the log's
        found = await self._index.settled(lane.thread_id, signature)
        if found is not None:
            return found
        if record is not None and record.slot <= request.min_slot and self._last(lane, record)[0] > now.sequence:
            # The account read at its slot is without it: it was executed there and not recorded, and may be elsewhere.
            if lane.records.get(signature) is record:
                del lane.records[signature]
            record = None
        record = record or await self._chain.transaction(signature)
        if record is not None and self._last(lane, record)[0] <= now.sequence:
            return now  # it failed, or left this thread alone, or its history is gone
        if request.attempts == len(_PAUSES):
            raise AuthorityUnavailableError(Authority.SOLANA, f"The node does not show transaction {signature} yet.")
        await asyncio.sleep(_PAUSES[request.attempts])
        request.attempts += 1
        if record is not None:
            request.min_slot = max(request.min_slot, record.slot)
            lane.know(record)
        lane.requests.append(request)
        return None

    def _last(self, lane: Lane, record: TransactionRecord) -> tuple[int, int]:
        """Sequence and ordinal of its last event in the lane's thread; zero where it has none, or failed."""
        address = self._addresses.thread(lane.thread_id)
        own = [(event.sequence, event.ordinal) for event in record.events if event.thread == address]
        return max(own, default=(0, 0)) if record.succeeded else (0, 0)
