"""The fourth step: read chain, content and index again and compare. Equal means VERIFIED, whatever the paths were."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.chain import Commitment
from chorale.domain.conflict import ConflictCause
from chorale.domain.content import ContentKey, ContentKind
from chorale.domain.errors import StaleReadError
from chorale.domain.ports import Chain, ContentStore, Embedder
from chorale.projector import Projector
from chorale.update.comparison import Comparison, absent, compare_content, compare_title
from chorale.update.lists import compare_message, compare_thread
from programs.accounts import decode_message, decode_thread
from programs.addresses import ProgramAddresses

_PAUSE = 0.1
_FINALITY_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Entities:
    """Thread and message of one version, read at `slot`; None where absent."""

    slot: int
    thread: ThreadAccount | None
    message: MessageAccount | None


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared. `conflict` says what differs, None where nothing does, and `cause` what kind of conflict that
    is; `remark` says what could not be compared."""

    entities: Entities
    conflict: str | None = None
    remark: str | None = None
    cause: ConflictCause = ConflictCause.PAYLOAD_WRONG


class Verification:
    """Reads with nothing cached in between."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        embedder: Embedder,
        projector: Projector,
        addresses: ProgramAddresses,
        attempts: int,
    ) -> None:
        self._chain = chain
        self._content = content
        self._embedder = embedder
        self._projector = projector
        self._addresses = addresses
        self._attempts = attempts

    async def entities(
        self,
        thread_id: str | None,
        content_hash: str | None,
        min_slot: int | None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> Entities:
        """A thread and one of its messages in one batch, so of one version; without a thread only the slot."""
        if thread_id is None:
            read = await self._chain.accounts([self._addresses.protocol()], min_context_slot=min_slot)
            return Entities(read.slot, None, None)
        thread_address = self._addresses.thread(thread_id)
        addresses = [thread_address]
        if content_hash is not None:
            addresses.append(self._addresses.message(thread_address, content_hash))
        read = await self._chain.accounts(addresses, min_context_slot=min_slot, commitment=commitment)
        # Anyone can send lamports to an address before the program makes its account there.
        own = [data if data is not None and data.owner == self._chain.program_id else None for data in read.accounts]
        thread, message = own[0], own[1] if content_hash is not None else None
        return Entities(
            read.slot,
            None if thread is None else decode_thread(thread.address, thread.data),
            None if message is None else decode_message(message.address, message.data),
        )

    async def verify(
        self, thread_id: str, content_hash: str | None, min_slot: int, *, own_content: bool, patience: float = 0.0
    ) -> Verified:
        """Compare until chain, content and lists are of one version.

        `own_content` says that this update brought the bytes, so that their absence is a conflict and not a remark.
        `patience` is for how many seconds a doubt may wait for the chain to finalize. Raises StaleReadError where they
        do not meet in time.
        """
        for attempt in range(self._attempts + 1):
            entities = await self.entities(thread_id, content_hash, min_slot)
            found = await self._compare(entities, content_hash, own_content)
            if found.gap == 0:
                return Verified(entities, found.conflict, found.remark, found.cause)
            min_slot = max(min_slot, entities.slot)
            if attempt == self._attempts:
                break
            if found.gap < 0:
                await self._projector.settle(thread_id, min_slot=min_slot)
                await self._projector.refresh(thread_id, () if content_hash is None else (content_hash,))
            else:
                await asyncio.sleep(_PAUSE)
        if found.gap > 0 and not found.of_lists:
            return await self._against_finalized(content_hash, entities, found.gap, patience)
        if found.gap > 0 and content_hash is None:
            # Others write to this thread all the time: each of their updates compares its own version.
            return Verified(entities, remark="not compared: the lists, since the thread moves on")
        raise StaleReadError("Derived state did not meet the chain's version while it was verified.")

    async def _against_finalized(self, content_hash: str | None, seen: Entities, gap: int, patience: float) -> Verified:
        """A point above what a node shows: wrong only where the chain finalizes less than what was seen here."""
        if seen.thread is None or seen.message is None:
            raise StaleReadError("The node does not show the accounts that the transaction made.")
        slot = await self._chain.slot()
        deadline = asyncio.get_running_loop().time() + patience
        while await self._chain.slot(Commitment.FINALIZED) < slot:
            if asyncio.get_running_loop().time() >= deadline:
                raise StaleReadError("The content is ahead of what the chain has finalized.")
            await asyncio.sleep(_FINALITY_PAUSE)
        final = await self.entities(seen.thread.thread_id, content_hash, slot, Commitment.FINALIZED)
        if final.message is None or final.message.sequence >= seen.message.sequence + gap:
            raise StaleReadError("The node was behind while the update was verified.")
        point = seen.message.sequence + gap
        return Verified(seen, f"the stored sequence {point} is above a finalized read, {final.message.sequence}")

    async def _compare(self, entities: Entities, content_hash: str | None, own_content: bool) -> Comparison:
        thread, message = entities.thread, entities.message
        if thread is None or (content_hash is not None and message is None):
            return Comparison(gap=1)  # a node that is behind
        content = await self._compare_content(thread, message, own_content)
        if content.gap or content.conflict:
            return content
        listed = await self._projector.listed(thread.thread_id, content_hash)
        lists = compare_thread(thread, listed) if message is None else compare_message(message, listed)
        return replace(lists, remark=content.remark)

    async def _compare_content(
        self, thread: ThreadAccount, message: MessageAccount | None, own_content: bool
    ) -> Comparison:
        if message is None:
            key = ContentKey(ContentKind.TITLE, thread.thread_id, thread.title_hash)
        else:
            key = ContentKey(ContentKind.MESSAGE, thread.thread_id, message.content_hash)
        fetched = (await self._content.fetch([key]))[key]
        if fetched.stored is None:
            return absent(fetched, own_content)
        if message is None:
            return compare_title(thread, fetched.stored)
        return compare_content(thread, message, fetched.stored, self._embedder.fingerprint)
