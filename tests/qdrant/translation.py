"""What comes over REST as Edge takes it, and what Edge answers as JSON. Anything that is not known here is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import qdrant_edge as edge
from qdrant_client import models

from tests.qdrant.filters import UnknownWordError, filter_of, only, optional_filter

_MODES = {
    models.UpdateMode.UPSERT: edge.UpdateMode.Upsert,
    models.UpdateMode.INSERT_ONLY: edge.UpdateMode.InsertOnly,
    models.UpdateMode.UPDATE_ONLY: edge.UpdateMode.UpdateOnly,
}
_SCHEMAS = {
    models.PayloadSchemaType.KEYWORD: edge.PayloadSchemaType.Keyword,
    models.PayloadSchemaType.INTEGER: edge.PayloadSchemaType.Integer,
}
_RRF_K = 2  # a server's own


def configuration(wanted: models.CreateCollection) -> edge.EdgeConfig:
    """Named vectors, and sparse ones with their modifiers."""
    only(wanted, "vectors", "sparse_vectors", "metadata")
    if not isinstance(wanted.vectors, Mapping):
        raise UnknownWordError(wanted.vectors)
    dense = {name: edge.EdgeVectorParams(params.size, _distance(params)) for name, params in wanted.vectors.items()}
    sparse = {
        name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if params.modifier else None)
        for name, params in (wanted.sparse_vectors or {}).items()
    }
    return edge.EdgeConfig(vectors=dense, sparse_vectors=sparse)


def schema(wanted: Any) -> Any:
    """Type of a payload index."""
    if wanted not in _SCHEMAS:
        raise UnknownWordError(wanted)
    return _SCHEMAS[wanted]


def schema_name(found: Any) -> str:
    """The same as REST calls it."""
    return next(name.value for name, kind in _SCHEMAS.items() if kind == found)


def upsert(wanted: models.PointsList) -> edge.UpdateOperation:
    """Points inserted or replaced."""
    only(wanted, "points", "update_filter", "update_mode")
    points = [edge.Point(point.id, vectors(point.vector), point.payload) for point in wanted.points]
    mode = None if wanted.update_mode is None else _MODES[wanted.update_mode]
    return edge.UpdateOperation.upsert_points(points, optional_filter(wanted.update_filter), mode)


def update(step: Any) -> edge.UpdateOperation:
    """One step of a batch, or a call that does the same alone."""
    make = edge.UpdateOperation
    match step:
        case models.UpdateVectorsOperation(update_vectors=wanted):
            return update(wanted)
        case models.DeleteVectorsOperation(delete_vectors=wanted):
            return update(wanted)
        case models.SetPayloadOperation(set_payload=wanted):
            return update(wanted)
        case models.UpdateVectors(points=points, update_filter=condition):
            changed = [edge.PointVectors(point.id, vectors(point.vector)) for point in points]
            return make.update_vectors(changed, optional_filter(condition))
        case models.DeleteVectors(points=None, filter=condition, vector=names) if condition:
            return make.delete_vectors_by_filter(filter_of(condition), names)
        case models.DeleteVectors(points=ids, filter=None, vector=names) if ids:
            return make.delete_vectors(ids, names)
        case models.SetPayload(points=None, filter=condition, payload=payload, key=None) if condition:
            return make.set_payload_by_filter(filter_of(condition), payload)
        case models.SetPayload(points=ids, filter=None, payload=payload, key=None) if ids:
            return make.set_payload(ids, payload)
        case models.DeletePayload(points=ids, filter=None, keys=keys) if ids:
            return make.delete_payload(ids, keys)
        case models.PointIdsList(points=ids):
            return make.delete_points(ids)
        case models.FilterSelector(filter=condition):
            return make.delete_points_by_filter(filter_of(condition))
    raise UnknownWordError(step)


def overwrite(wanted: models.SetPayload) -> edge.UpdateOperation:
    """A payload replaced as a whole."""
    if not wanted.points or wanted.filter or wanted.key:
        raise UnknownWordError(wanted)
    return edge.UpdateOperation.overwrite_payload(wanted.points, wanted.payload)


def query(wanted: models.QueryRequest) -> edge.QueryRequest:
    """A search, or several joined by their ranks."""
    only(wanted, "query", "using", "prefetch", "filter", "limit", "with_payload", "with_vector")
    prefetch = wanted.prefetch or []
    return edge.QueryRequest(
        wanted.limit or 10,
        query=_scoring(wanted.query, wanted.using),
        prefetches=[_prefetch(each) for each in (prefetch if isinstance(prefetch, list) else [prefetch])],
        filter=optional_filter(wanted.filter),
        with_payload=payload_part(wanted.with_payload, default=False),
        with_vector=wanted.with_vector or False,
    )


def scroll(wanted: models.ScrollRequest) -> edge.ScrollRequest:
    """A page of points in the order of their ids."""
    only(wanted, "offset", "limit", "filter", "with_payload", "with_vector")
    return edge.ScrollRequest(
        offset=wanted.offset,
        limit=wanted.limit or 10,
        filter=optional_filter(wanted.filter),
        with_payload=payload_part(wanted.with_payload, default=True),
        with_vector=wanted.with_vector or False,
    )


def vectors(wanted: Any) -> Any:
    """Vectors by name."""
    if not isinstance(wanted, Mapping):
        raise UnknownWordError(wanted)
    return {name: _vector(vector) for name, vector in wanted.items()}


def payload_part(wanted: Any, *, default: bool) -> Any:
    """All of a payload, nothing, or some fields."""
    if wanted is None:
        return default
    if isinstance(wanted, bool | list):
        return wanted
    raise UnknownWordError(wanted)


def record(found: Any) -> dict[str, Any]:
    """A point as JSON, with its score where it was searched for."""
    answer = {"id": id_as_json(found.id), "payload": found.payload, "vector": _vectors_as_json(found.vector)}
    if isinstance(found, edge.ScoredPoint):
        answer |= {"score": found.score, "version": found.version}
    return answer


def id_as_json(id: Any) -> Any:
    """A number, or a UUID's text; None stays None."""
    return str(id) if isinstance(id, UUID) else id


def _distance(params: models.VectorParams) -> Any:
    only(params, "size", "distance")
    if params.distance is not models.Distance.COSINE:
        raise UnknownWordError(params.distance)
    return edge.Distance.Cosine


def _vector(wanted: Any) -> Any:
    if isinstance(wanted, models.SparseVector):
        return edge.SparseVector(wanted.indices, wanted.values)
    if isinstance(wanted, list):
        return wanted
    raise UnknownWordError(wanted)


def _vectors_as_json(found: Any) -> Any:
    if found is None:
        return None
    return {
        name: {"indices": vector.indices, "values": vector.values}
        if isinstance(vector, edge.SparseVector)
        else list(vector)
        for name, vector in found.items()
    }


def _scoring(wanted: Any, using: str | None) -> Any:
    match wanted:
        case models.FusionQuery(fusion=models.Fusion.RRF):
            return edge.Fusion.Rrf(_RRF_K)
        case models.NearestQuery(nearest=vector, mmr=None):
            return edge.Query.Nearest(_vector(vector), using)
    return edge.Query.Nearest(_vector(wanted), using)


def _prefetch(wanted: models.Prefetch) -> edge.Prefetch:
    only(wanted, "query", "using", "filter", "limit")
    return edge.Prefetch(
        wanted.limit or 10, query=_scoring(wanted.query, wanted.using), filter=optional_filter(wanted.filter)
    )
