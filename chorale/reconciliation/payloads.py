"""What points say of the chain, against the chain: what is behind is promoted, what is wrong is corrected from a
finalized read by compare-and-set."""

from __future__ import annotations

import time
from dataclasses import replace

from chorale.checking.rows import difference
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.content import ContentKey, ContentKind, Correction, Promotion, StoredContent
from chorale.domain.ports import Chain, ContentStore, Embedder
from chorale.projection.corrections import Corrections
from chorale.projection.promotion import message_promotion, title_promotion
from chorale.projector import Projector
from chorale.reconciliation.accounts import Owned, read_owned
from chorale.reconciliation.resolution import Resolution, hash_of, message_key

_ATTEMPTS = 3
_NAMES = 2_000  # points per page


class Payloads:
    """Facts and vectors of one point at a time. `lease` is for how long (s) a point that turns out to be of nothing on
    chain is kept for its author."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        embedder: Embedder,
        projector: Projector,
        corrections: Corrections,
        lease: int,
    ) -> None:
        self._chain = chain
        self._content = content
        self._embedder = embedder
        self._projector = projector
        self._corrections = corrections
        self._lease = lease

    async def resolve(self, conflict: Conflict) -> Resolution:
        """A message's point, or the title's of a thread."""
        return await self.settle(conflict.thread_id, hash_of(conflict), conflict.slot)

    async def settle(self, thread_id: str, content_hash: str | None, min_slot: int = 0) -> Resolution:
        """Promote; where the point says something else even then, correct it. None where it agrees already."""
        owned = await self._read(thread_id, content_hash, min_slot)
        key = _key(owned, thread_id, content_hash) or await self._title_of_nothing(thread_id)
        if key is None:
            return None
        stored = await self._stored(key)
        if stored is None or self._agrees(owned, stored):
            return None  # without bytes it is another conflict
        if await self._agrees_now(key, content_hash):
            return Settlement.RESOLVED, "The point was promoted again."
        if (stored := await self._stored(key)) is None:
            return None
        slot = await self._corrections.finalized_now()
        final = await self._read(thread_id, content_hash, slot, Commitment.FINALIZED)
        promotion = self._promotion(final, key)
        if promotion is not None and content_hash is not None:
            promotion = replace(promotion, embedding=(await self._embedder.embed([stored.body]))[0])
        lease_until = int(time.time()) + self._lease
        await self._corrections.points([Correction(key, stored.sequence, stored.status, promotion, lease_until)])
        if promotion is None:
            staged = await self._stored(key)
            await self._projector.note_staged(*([] if staged is None or staged.sequence else [staged]))
        if not await self._agrees_now(key, content_hash):
            return Settlement.FAILED, "The point was corrected and differs still."
        became = "STAGED" if promotion is None else f"{promotion.status} of sequence {promotion.sequence}"
        return (
            Settlement.RESOLVED,
            f"The point said {stored.status} of sequence {stored.sequence}; a finalized read of slot {slot} made it "
            f"{became}.",
        )

    async def _title_of_nothing(self, thread_id: str) -> ContentKey | None:
        """The title's point of a thread that the chain does not have, which alone can tell its name."""
        place: str | None = None
        while True:
            names, place = await self._content.names(place, _NAMES)
            for name in names:
                if name.key.kind is ContentKind.TITLE and name.key.thread_id == thread_id and not name.staged:
                    return name.key
            if place is None:
                return None

    async def _read(
        self, thread_id: str, content_hash: str | None, min_slot: int, commitment: Commitment = Commitment.CONFIRMED
    ) -> Owned:
        hashes = [] if content_hash is None else [content_hash]
        return await read_owned(self._chain, thread_id, hashes, min_slot=min_slot, commitment=commitment)

    async def _stored(self, key: ContentKey | None) -> StoredContent | None:
        return None if key is None else (await self._content.fetch([key]))[key].stored

    async def _agrees_now(self, key: ContentKey, content_hash: str | None) -> bool:
        """Whether the point, read back, says what the accounts say; they are read after it and may have moved on."""
        for _ in range(_ATTEMPTS):
            stored = await self._stored(key)
            owned = await self._read(key.thread_id, content_hash, 0)
            if stored is not None and self._agrees(owned, stored):
                return True
            await self._projector.refresh(key.thread_id, () if content_hash is None else (content_hash,))
        return False

    def _agrees(self, owned: Owned, stored: StoredContent) -> bool:
        promotion = self._promotion(owned, stored.key)
        if promotion is None:
            return stored.sequence == 0
        if stored.sequence != promotion.sequence:
            return False
        return (
            difference(
                {
                    "author": (promotion.author, stored.author),
                    "status": (promotion.status, stored.status),
                    "submitted_at": (promotion.submitted_at, stored.submitted_at),
                    "submitted_sequence": (promotion.submitted_sequence, stored.submitted_sequence),
                    "voters": (sorted(promotion.voters), sorted(stored.voters)),
                    "vectors": (
                        promotion.fingerprint,
                        promotion.fingerprint if stored.key.kind is ContentKind.TITLE else stored.fingerprint,
                    ),
                }
            )
            is None
        )

    def _promotion(self, owned: Owned, key: ContentKey) -> Promotion | None:
        if owned.thread is None:
            return None
        if key.kind is ContentKind.TITLE:
            return title_promotion(owned.thread, self._embedder.fingerprint)
        message = owned.messages.get(key.hash)
        return None if message is None else message_promotion(owned.thread, message, self._embedder.fingerprint)


def _key(owned: Owned, thread_id: str, content_hash: str | None) -> ContentKey | None:
    """The point's name; a title's takes the account, so that None tells that there is none."""
    if content_hash is not None:
        return message_key(thread_id, content_hash)
    return None if owned.thread is None else ContentKey(ContentKind.TITLE, thread_id, owned.thread.title_hash)
