"""A search as one Qdrant query: who may see what is part of it, never applied afterwards.

Words of unpublished messages have a sparse vector of their own, without the inverse document frequency: a statistic
over them would show in everybody's scores.
"""

from __future__ import annotations

from typing import Any

from qdrant_client import models

from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKind, Embedding, SearchCriteria, SearchMode
from datasources.qdrant.guards import any_keyword, keyword

DENSE = "dense"
SPARSE = "bm25"
"""Words of published messages, weighted by how rare they are among these."""
SPARSE_PRIVATE = "bm25_private"
"""Words of all other promoted messages, weighted within each message alone."""


def search_query(criteria: SearchCriteria, query: Embedding, fingerprint: str, limit: int) -> dict[str, Any] | None:
    """Arguments of `query_points`; None where no point can match (TEXT without a single telling word).

    Where there are several lists, each carries the whole filter, so that their fusion by rank holds nothing else.
    """
    allowed = search_filter(criteria, fingerprint)
    lists: list[models.Prefetch] = []
    if criteria.mode is not SearchMode.TEXT:
        lists.append(models.Prefetch(query=list(query.dense), using=DENSE, limit=limit, filter=allowed))
    if criteria.mode is not SearchMode.SEMANTIC and query.sparse_indices:
        words = sparse_vector(query)
        lists.append(models.Prefetch(query=words, using=SPARSE, limit=limit, filter=allowed))
        if criteria.viewer is not None:
            # A stale replica may leave a private vector on a published point: no message is to be listed twice.
            own = models.Filter(must=[allowed], must_not=[keyword("status", MessageStatus.PUBLISHED)])
            lists.append(models.Prefetch(query=words, using=SPARSE_PRIVATE, limit=limit, filter=own))
    if not lists:
        return None
    if len(lists) == 1:
        [only] = lists
        return {"query": only.query, "using": only.using, "query_filter": only.filter, "limit": limit}
    return {"prefetch": lists, "query": models.FusionQuery(fusion=models.Fusion.RRF), "limit": limit}


def search_filter(criteria: SearchCriteria, fingerprint: str) -> models.Filter:
    """Promoted messages with vectors of this model that the viewer may see and the criteria ask for.

    The fingerprint is written together with the chain state, so that whatever carries it is promoted.
    """
    must: list[Any] = [
        keyword("kind", ContentKind.MESSAGE),
        keyword("fingerprint", fingerprint),
        visible_to(criteria.viewer, criteria.viewer_threads),
    ]
    if criteria.thread_id is not None:
        must.append(keyword("thread_id", criteria.thread_id))
    if criteria.author is not None:
        must.append(keyword("author", criteria.author))
    if criteria.statuses:
        must.append(any_keyword("status", [status.value for status in criteria.statuses]))
    if criteria.submitted_after is not None or criteria.submitted_before is not None:
        bounds = models.Range(gte=criteria.submitted_after, lt=criteria.submitted_before)
        must.append(models.FieldCondition(key="submitted_at", range=bounds))
    return models.Filter(must=must)


def visible_to(viewer: str | None, threads: tuple[str, ...]) -> models.Filter:
    """`chorale.domain.approval.may_see` as a filter. An anonymous viewer sees what is published, nothing else."""
    published = keyword("status", MessageStatus.PUBLISHED)
    if viewer is None:
        return models.Filter(must=[published])
    should: list[Any] = [published, keyword("author", viewer), keyword("voters", viewer)]
    if threads:
        staged = keyword("status", MessageStatus.STAGED)
        should.append(models.Filter(must=[any_keyword("thread_id", threads)], must_not=[staged]))
    return models.Filter(should=should)


def named_vectors(embedding: Embedding, status: MessageStatus) -> dict[str, Any]:
    """Vectors of a point of this status by name; a text without a telling word has no sparse one."""
    vectors: dict[str, Any] = {DENSE: list(embedding.dense)}
    if embedding.sparse_indices:
        vectors[SPARSE if status is MessageStatus.PUBLISHED else SPARSE_PRIVATE] = sparse_vector(embedding)
    return vectors


def sparse_vector(embedding: Embedding) -> models.SparseVector:
    """The BM25 vector as Qdrant takes it."""
    return models.SparseVector(indices=list(embedding.sparse_indices), values=list(embedding.sparse_values))
