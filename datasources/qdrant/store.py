"""Content in Qdrant: the port `ContentStore` on either engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from qdrant_client import models

from chorale.domain.approval import MessageStatus
from chorale.domain.content import (
    Content,
    ContentCensus,
    ContentKey,
    ContentKind,
    ContentState,
    Embedding,
    FetchedContent,
    Promotion,
    SearchCriteria,
    SearchHit,
    StoredContent,
)
from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError
from chorale.domain.updates import Authority
from datasources.qdrant import guards
from datasources.qdrant.collection import ensure_collection
from datasources.qdrant.identity import CollectionIdentity
from datasources.qdrant.names import QdrantNames
from datasources.qdrant.opening import open_engine
from datasources.qdrant.payload import content_is_proven, promoted_payload, proven, staged_payload
from datasources.qdrant.points import PointUpdate
from datasources.qdrant.repairs import Met, QdrantRepairs, nobody
from datasources.qdrant.search import DENSE, SPARSE, SPARSE_PRIVATE, named_vectors, search_query

_BRIEF = 8  # points that are read where they are asked for, if the embedded engine rests


class QdrantContent(QdrantRepairs, QdrantNames):
    """Implements the port `ContentStore`. Bytes are written once; whatever is read is proven against its hash."""

    async def stage(self, content: Content, *, lease_until: int) -> StoredContent:
        """Insert where absent, else extend the lease (unix s) of what is still STAGED. Returns what is stored then.

        Raises InvalidInputError where the bytes do not give the key's hash, AuthorityUnavailableError where an
        earlier point of this key is damaged.
        """
        if not content_is_proven(content):
            raise InvalidInputError("The text and its salt do not match the hash they are to be kept under.", "body")
        id = self._identity.point_id(content.key)
        payload = staged_payload(content, lease_until)
        longer = PointUpdate(id, guards.staged_with_shorter_lease(lease_until), {"lease_until": lease_until})

        def work() -> StoredContent | None:
            self._points.insert(id, payload)
            self._points.update([longer])
            return proven(self._points.read([id]).get(id), content.key)

        stored = await self._engine.call(work)
        if stored is None:
            raise AuthorityUnavailableError(
                Authority.QDRANT, f"The content stored under {content.key.hash} is damaged and was not replaced."
            )
        return stored

    async def promote(self, promotions: Sequence[Promotion]) -> None:
        """Write what the chain says, and vectors where given, to existing points that are behind it. Idempotent."""
        by_id = [(self._identity.point_id(promotion.key), promotion) for promotion in promotions]
        # Where no vectors are given, those of words that were private until now are written again as public ones.
        moved = [id for id, promotion in by_id if promotion.embedding is None and _is_published(promotion)]

        def work() -> None:
            private = self._points.vectors(moved, SPARSE_PRIVATE)
            self._points.update([_update(id, promotion, private.get(id)) for id, promotion in by_id])

        if by_id:
            await self._engine.call(work)

    async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
        """One read for all keys; an answer for each, QUARANTINED where the bytes do not give the hash."""
        ids = {key: self._identity.point_id(key) for key in keys}

        def work() -> Mapping[ContentKey, FetchedContent]:
            found = self._points.read(list(ids.values()))
            return {key: _answer(key, found.get(id)) for key, id in ids.items()}

        return await self._engine.call(work, brief=len(ids) <= _BRIEF)

    async def search(self, criteria: SearchCriteria, query: Embedding, limit: int) -> Sequence[SearchHit]:
        """Best first, equal ones by hash. `submitted_after` is inclusive, `submitted_before` is not."""
        arguments = search_query(criteria, query, self._identity.fingerprint, limit)
        if arguments is None or limit < 1:
            return ()

        def work() -> tuple[list[SearchHit], list[ContentKey]]:
            scored = [(point, proven(point.payload)) for point in self._points.query(arguments)]
            hits = [SearchHit(content, point.score) for point, content in scored if content is not None]
            corrupt = [self._identity.key_of(str(point.id), point.payload) for point, content in scored if not content]
            # The engine orders equal scores as it likes, and fused ranks are often equal; pages must not.
            hits.sort(key=lambda hit: (-hit.score, hit.content.key.hash))
            return hits, [key for key in corrupt if key is not None]

        hits, corrupt = await self._engine.call(work)
        for key in corrupt:
            self._met(key, ContentState.QUARANTINED)
        return hits

    async def staged(self) -> Sequence[StoredContent]:
        """Every proven point that carries no chain state, titles included."""
        condition = models.Filter(must_not=[guards.NOT_STAGED])

        def work() -> list[StoredContent]:
            return [stored for payload in self._points.scroll(condition) if (stored := proven(payload)) is not None]

        return await self._engine.call(work)

    async def staged_by(self, author: str) -> int:
        """An exact count of one author's points without chain state, titles included."""
        condition = models.Filter(must=[guards.keyword("author", author)], must_not=[guards.NOT_STAGED])
        return await self._engine.call(lambda: self._points.count(condition))

    async def collect_staged(self, keys: Sequence[ContentKey], now: int) -> None:
        """Delete what among `keys` is still STAGED with a lease that has passed at unix time `now`."""
        ids = [self._identity.point_id(key) for key in keys]
        if ids:
            await self._engine.call(lambda: self._points.delete(ids, guards.staged_and_expired(now)))

    async def census(self) -> ContentCensus:
        """Exact counts. A title counts as promoted without vectors: it is not searched; so do quarantined points."""
        complete = models.Filter(
            should=[
                guards.keyword("kind", ContentKind.TITLE),
                guards.QUARANTINED,
                models.Filter(
                    must=[
                        guards.keyword("fingerprint", self._identity.fingerprint),
                        models.HasVectorCondition(has_vector=DENSE),
                    ]
                ),
            ]
        )

        def work() -> ContentCensus:
            return ContentCensus(
                points=self._points.count(),
                promoted=self._points.count(models.Filter(must=[guards.NOT_STAGED, complete])),
                staged=self._points.count(models.Filter(must_not=[guards.NOT_STAGED])),
            )

        return await self._engine.call(work)

    async def ready(self) -> None:
        """Raises AuthorityUnavailableError where Qdrant, or the collection, is away."""
        if not await self._engine.call(lambda: self._engine.client.collection_exists(self._identity.name)):
            raise AuthorityUnavailableError(Authority.QDRANT, f"The collection {self._identity.name} is gone.")


def _is_published(promotion: Promotion) -> bool:
    return promotion.key.kind is ContentKind.MESSAGE and promotion.status is MessageStatus.PUBLISHED


def _update(id: str, promotion: Promotion, private: object) -> PointUpdate:
    """`private`: the words of a message that was promoted before it was published, None where it has none."""
    if promotion.embedding is not None:
        vectors = named_vectors(promotion.embedding, promotion.status)
        guard = guards.behind(promotion.sequence, promotion.fingerprint)
    else:
        vectors = {} if private is None else {SPARSE: private}
        guard = guards.behind(promotion.sequence, None)
    # Nothing takes a public vector away: what is published stays so, and a stale replica must not undo it.
    dropped = (SPARSE_PRIVATE,) if _is_published(promotion) else ()
    return PointUpdate(id, guard, promoted_payload(promotion), vectors, dropped)


def _answer(key: ContentKey, payload: Mapping[str, object] | None) -> FetchedContent:
    if payload is None:
        return FetchedContent(ContentState.MISSING)
    stored = proven(payload, key)
    return FetchedContent(ContentState.QUARANTINED if stored is None else ContentState.AVAILABLE, stored)


@asynccontextmanager
async def open_content(
    url: str, path: Path, collection: CollectionIdentity, met: Met = nobody
) -> AsyncIterator[QdrantContent]:
    """Open the store of `url` (`file:` under the folder `path`, or `http(s)://…`) and its collection.

    `met` hears of corrupt points that a search comes upon. Raises StartupError naming the cure: folder in use, server
    away or too old, content of another model.
    """
    async with open_engine(url, path) as engine:
        await engine.call(lambda: ensure_collection(engine.client, collection, exclusive=engine.exclusive))
        yield QdrantContent(engine, collection, met)
