"""Writes that mend: bytes supplied again, corrupt points taken out of every search, and facts of a finalized read.

Each is a compare-and-set: made only while the point still holds, or claims, what was found wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chorale.domain.approval import MessageStatus
from chorale.domain.content import Content, ContentKey, ContentState, Correction, StoredContent
from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError
from chorale.domain.updates import Authority
from datasources.qdrant import guards
from datasources.qdrant.engine import Engine
from datasources.qdrant.identity import CollectionIdentity
from datasources.qdrant.payload import (
    content_is_proven,
    corrected_payload,
    proven,
    quarantined_payload,
    restored_payload,
)
from datasources.qdrant.points import Points, PointUpdate
from datasources.qdrant.search import DENSE, SPARSE, SPARSE_PRIVATE, named_vectors

_ATTEMPTS = 3
_ALL = (DENSE, SPARSE, SPARSE_PRIVATE)


Met = Callable[[ContentKey, ContentState], None]
"""Hears of a point whose bytes are wrong; must not wait."""


def nobody(key: ContentKey, state: ContentState) -> None:
    """Where nobody listens."""


class QdrantRepairs:
    """The part of the port `ContentStore` that `reconcile` writes through."""

    def __init__(self, engine: Engine, identity: CollectionIdentity, met: Met = nobody) -> None:
        self._engine = engine
        self._identity = identity
        self._met = met
        self._points = Points(engine.client, identity.name, engine.exclusive)

    async def end_lease(self, key: ContentKey, *, found: int, lease_until: int) -> None:
        """See ContentStore."""
        id = self._identity.point_id(key)
        update = PointUpdate(id, guards.staged_until(found), {"lease_until": lease_until})
        await self._engine.call(lambda: self._points.update([update]))

    async def restore(self, content: Content, *, lease_until: int, now: int) -> StoredContent:
        """See ContentStore. Raises AuthorityUnavailableError where the point changes all the time."""
        if not content_is_proven(content):
            raise InvalidInputError("The text and its salt do not match the hash they are to be kept under.", "text")
        id = self._identity.point_id(content.key)

        def work() -> StoredContent | None:
            self._points.insert(id, restored_payload(content, lease_until, now, None))
            for _ in range(_ATTEMPTS):
                found = self._points.read([id]).get(id)
                stored = proven(found, content.key)
                if stored is not None:
                    return stored
                if found is None:  # collected in between
                    self._points.insert(id, restored_payload(content, lease_until, now, None))
                    continue
                payload = restored_payload(content, lease_until, now, found)
                self._points.update([PointUpdate(id, guards.holding(found), payload, dropped=_ALL)])
            return proven(self._points.read([id]).get(id), content.key)

        stored = await self._engine.call(work)
        if stored is None:
            raise AuthorityUnavailableError(Authority.QDRANT, f"The point of {content.key.hash} could not be replaced.")
        return stored

    async def quarantine(self, key: ContentKey, *, now: int) -> ContentState:
        """See ContentStore."""
        id = self._identity.point_id(key)

        def work() -> ContentState:
            found = self._points.read([id]).get(id)
            if found is None:
                return ContentState.MISSING
            if proven(found, key) is not None:
                return ContentState.AVAILABLE
            self._points.update([PointUpdate(id, guards.holding(found), quarantined_payload(now), dropped=_ALL)])
            return ContentState.QUARANTINED

        return await self._engine.call(work)

    async def correct(self, corrections: Sequence[Correction]) -> None:
        """See ContentStore."""
        updates = [self._correction(correction) for correction in corrections]
        if updates:
            await self._engine.call(lambda: self._points.update(updates))

    def _correction(self, correction: Correction) -> PointUpdate:
        id = self._identity.point_id(correction.key)
        guard = guards.claiming(correction.found_sequence, correction.found_status)
        payload, promotion = corrected_payload(correction), correction.promotion
        if promotion is None:
            return PointUpdate(id, guard, payload, dropped=_ALL)
        if promotion.embedding is None:
            return PointUpdate(id, guard, payload)
        # What was wrongly public must not stay in the statistics of words.
        other = SPARSE_PRIVATE if promotion.status is MessageStatus.PUBLISHED else SPARSE
        return PointUpdate(id, guard, payload, named_vectors(promotion.embedding, promotion.status), (other,))
