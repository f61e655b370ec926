"""Reads and guarded writes on one collection. Blocking: every method is called in an engine thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from datasources.qdrant.guards import Guard

_SCROLL_PAGE = 1_000
_NOT_FOUND = 404
_ATTEMPTS = 3

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PointUpdate:
    """A change of one existing point, made only where `guard` holds.

    `vectors` are written by name, those of `dropped` names deleted, all others stay.
    """

    id: str
    guard: Guard
    payload: Payload
    vectors: Mapping[str, Any] | None = None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """One collection. `exclusive` is the engine's: the calling thread is the store's only owner."""

    client: QdrantClient
    collection: str
    exclusive: bool

    def insert(self, id: str, payload: Payload) -> None:
        """A point without vectors, where none of this id is; an existing one stays as it is."""
        self.client.upsert(
            self.collection,
            [models.PointStruct(id=id, vector={}, payload=dict(payload))],
            update_mode=models.UpdateMode.INSERT_ONLY,
            wait=True,
        )

    def read(self, ids: Sequence[str]) -> dict[str, Payload]:
        """Payloads by id; absent points are left out."""
        if not ids:
            return {}
        records = self.client.retrieve(self.collection, list(ids), with_payload=True)
        return {str(record.id): record.payload or {} for record in records}

    def vectors(self, ids: Sequence[str], name: str) -> dict[str, Any]:
        """The vectors called `name`, by id; points that are absent or have none are left out."""
        if not ids:
            return {}
        records = self.client.retrieve(self.collection, list(ids), with_payload=False, with_vectors=[name])
        named = {str(record.id): record.vector for record in records}
        return {id: vectors[name] for id, vectors in named.items() if isinstance(vectors, dict) and name in vectors}

    def update(self, updates: Sequence[PointUpdate]) -> None:
        """Vectors first, payload last, each step under the guard: until the last, nothing claims the vectors.

        Points that do not exist stay absent.
        """
        if self.exclusive:
            for update in updates:
                self._update_as_owner(update)
        else:
            self._update_on_server(updates)

    def delete(self, ids: Sequence[str], guard: Guard) -> None:
        """Delete the points among `ids` where the guard holds."""
        if not self.exclusive:
            self.client.delete(self.collection, models.FilterSelector(filter=guard.of(ids)), wait=True)
        elif admitted := [id for id, payload in self.read(ids).items() if guard.admits(payload)]:
            self.client.delete(self.collection, models.PointIdsList(points=list(admitted)), wait=True)

    def scroll(self, condition: models.Filter) -> Iterator[Payload]:
        """Payloads of all points that meet `condition`."""
        offset: Any = None
        while True:
            records, offset = self.client.scroll(
                self.collection, scroll_filter=condition, limit=_SCROLL_PAGE, offset=offset, with_payload=True
            )
            yield from (record.payload or {} for record in records)
            if offset is None:
                return

    def count(self, condition: models.Filter | None = None) -> int:
        """How many points meet `condition`, exactly."""
        return self.client.count(self.collection, count_filter=condition, exact=True).count

    def query(self, arguments: Mapping[str, Any]) -> list[models.ScoredPoint]:
        """Best first, with payloads."""
        return self.client.query_points(self.collection, with_payload=True, **arguments).points

    def _update_as_owner(self, update: PointUpdate) -> None:
        # The embedded engine would evaluate a filter on every point it holds, in Python; the owner looks up by id.
        payload = self.read([update.id]).get(update.id)
        if payload is None or not update.guard.admits(payload):
            return
        if update.vectors:
            self.client.update_vectors(
                self.collection, [models.PointVectors(id=update.id, vector=dict(update.vectors))], wait=True
            )
        if update.dropped:
            self.client.delete_vectors(self.collection, update.dropped, [update.id], wait=True)
        self.client.set_payload(self.collection, dict(update.payload), points=[update.id], wait=True)

    def _update_on_server(self, updates: Sequence[PointUpdate]) -> None:
        """One batch. The server refuses vectors of an absent point and stops there, so those are left out first; one
        deleted in between makes it look again."""
        for attempt in range(1, _ATTEMPTS + 1):
            ids = list({update.id for update in updates})
            present = {str(record.id) for record in self.client.retrieve(self.collection, ids, with_payload=False)}
            operations = [step for update in updates if update.id in present for step in _operations(update)]
            try:
                if operations:
                    self.client.batch_update_points(self.collection, operations, wait=True)
                return
            except UnexpectedResponse as error:
                if error.status_code != _NOT_FOUND or attempt == _ATTEMPTS:
                    raise


def _operations(update: PointUpdate) -> Iterator[models.UpdateOperation]:
    guarded = update.guard.of([update.id])
    if update.vectors:
        vectors = [models.PointVectors(id=update.id, vector=dict(update.vectors))]
        yield models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=vectors, update_filter=guarded))
    if update.dropped:
        dropped = models.DeleteVectors(filter=guarded, vector=list(update.dropped))
        yield models.DeleteVectorsOperation(delete_vectors=dropped)
    yield models.SetPayloadOperation(set_payload=models.SetPayload(payload=dict(update.payload), filter=guarded))
