"""ContentConflict: bytes that do not match their hash, that are missing, or that nothing on chain will ever name."""

from __future__ import annotations

import time
from collections.abc import Callable

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.domain.content import ContentKey, ContentKind, ContentState, StoredContent
from chorale.domain.ports import Chain, ContentStore
from chorale.projection.corrections import Corrections
from chorale.projection.staging import COLLECTED, StagingCollector
from chorale.projector import Projector
from chorale.reconciliation.accounts import Owned, read_owned
from chorale.reconciliation.resolution import Resolution, hash_of, message_key
from chorale.reconciliation.restored import tell_restored

_CORRUPT = "The bytes do not match their hash and are kept out of every answer; `restoreContent` takes the right ones."
_MISSING = "Nobody has the bytes; `restoreContent` takes them from anyone."


class ContentResolver:
    """Keeps what is wrong away from every answer, promotes what has come, and deletes what was left behind."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        projector: Projector,
        corrections: Corrections,
        collector: StagingCollector,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._chain = chain
        self._content = content
        self._projector = projector
        self._corrections = corrections
        self._collector = collector
        self._now = now

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver."""
        if conflict.cause is ConflictCause.CONTENT_ABANDONED:
            return await self._abandoned(conflict)
        owned = await self._owned(conflict)
        key = _key(owned, conflict)
        if key is None:
            return None  # neither on chain nor staged: nobody misses it
        state = await self._content.quarantine(key, now=int(self._now()))
        if state is ContentState.AVAILABLE:
            await self._projector.refresh(key.thread_id, [key.hash] if key.kind is ContentKind.MESSAGE else [])
        fetched = (await self._content.fetch([key]))[key]
        if fetched.state is not state:
            return Settlement.FAILED, f"The point was {state} and is {fetched.state}."
        if fetched.stored is not None:  # supplied since, on another replica perhaps: subscribers here hear of it too
            await tell_restored(self._projector, owned, fetched.stored)
            return None
        if state is ContentState.MISSING:
            return Settlement.AWAITING_CONTENT, _MISSING
        return Settlement.QUARANTINED, _CORRUPT

    async def _abandoned(self, conflict: Conflict) -> Resolution:
        staged = await self._staged(conflict)
        if not staged:
            return None
        if await self._collector.collect_among(staged):
            return Settlement.RESOLVED, COLLECTED
        return None  # on chain after all, or leased anew

    async def _staged(self, conflict: Conflict) -> list[StoredContent]:
        """The staged point that a conflict is about, or the titles of its thread."""
        content_hash = hash_of(conflict)
        if content_hash is not None:
            key = message_key(conflict.thread_id, content_hash)
            stored = (await self._content.fetch([key]))[key].stored
            return [stored] if stored is not None and stored.status is MessageStatus.STAGED else []
        return [
            content
            for content in await self._content.staged()
            if content.key.thread_id == conflict.thread_id and content.key.kind is ContentKind.TITLE
        ]

    async def _owned(self, conflict: Conflict) -> Owned:
        """Thread and message as the chain has them; finalized absence alone is believed."""
        content_hash = hash_of(conflict)
        hashes = [] if content_hash is None else [content_hash]
        owned = await read_owned(self._chain, conflict.thread_id, hashes, min_slot=conflict.slot)
        if owned.thread is None or (content_hash is not None and content_hash not in owned.messages):
            slot = await self._corrections.finalized_now()
            owned = await read_owned(
                self._chain, conflict.thread_id, hashes, min_slot=slot, commitment=Commitment.FINALIZED
            )
        return owned


def _key(owned: Owned, conflict: Conflict) -> ContentKey | None:
    """The point's name, where the chain has a thread or message for it."""
    content_hash = hash_of(conflict)
    if owned.thread is None:
        return None
    if content_hash is None:
        return ContentKey(ContentKind.TITLE, conflict.thread_id, owned.thread.title_hash)
    return message_key(conflict.thread_id, content_hash) if content_hash in owned.messages else None
