"""Going through all points by what they name, without their content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKey, ContentKind, PointName
from datasources.qdrant.engine import Engine
from datasources.qdrant.identity import CollectionIdentity
from datasources.qdrant.points import Points

_FIELDS = ["kind", "thread_id", "hash", "status", "sequence", "lease_until"]


class QdrantNames:
    """The part of the port `ContentStore` that lists points."""

    _engine: Engine
    _identity: CollectionIdentity
    _points: Points

    async def names(self, after: str | None, limit: int) -> tuple[tuple[PointName, ...], str | None]:
        """See ContentStore."""

        def work() -> tuple[tuple[PointName, ...], str | None]:
            records, following = self._engine.client.scroll(
                self._identity.name, limit=limit, offset=after, with_payload=_FIELDS
            )
            named = (self._named(str(record.id), record.payload or {}) for record in records)
            return tuple(name for name in named if name is not None), None if following is None else str(following)

        return await self._engine.call(work)

    def _named(self, id: str, payload: Mapping[str, Any]) -> PointName | None:
        try:
            key = ContentKey(ContentKind(payload["kind"]), payload["thread_id"], payload["hash"])
            if self._identity.point_id(key) != id:
                return None  # what it says of itself is damaged: it is met under the name that it should have
            staged = payload.get("status", MessageStatus.STAGED) == MessageStatus.STAGED
            return PointName(key, staged, int(payload.get("sequence", 0)), int(payload.get("lease_until", 0)))
        except (KeyError, TypeError, ValueError):
            return None
