"""Qdrant behind an address, and a hand of the test's own in it: points are damaged while the server runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models

from tests.qdrant.rest import running_qdrant


@dataclass(frozen=True)
class Points:
    """The points of the one collection that is at `address`."""

    address: str
    client: QdrantClient

    def of(self, content_hash: str) -> Any:
        """The id of the point that holds this hash."""
        found = [point.id for point in self._all() if (point.payload or {}).get("hash") == content_hash]
        assert len(found) == 1, found
        return found[0]

    def title_of(self, thread_id: str) -> Any:
        """The id of the point of a thread's title."""
        found = [
            point.id
            for point in self._all()
            if ((point.payload or {}).get("kind"), (point.payload or {}).get("thread_id")) == ("title", thread_id)
        ]
        assert len(found) == 1, found
        return found[0]

    def say(self, id: Any, **payload: Any) -> None:
        """Let a point say something else."""
        self.client.set_payload(self._name, payload, points=[id], wait=True)

    def payload(self, id: Any) -> dict[str, Any]:
        """What a point says."""
        [found] = self.client.retrieve(self._name, [id], with_payload=True)
        return found.payload or {}

    def drop(self, id: Any) -> None:
        """Delete a point."""
        self.client.delete(self._name, models.PointIdsList(points=[id]), wait=True)

    @property
    def _name(self) -> str:
        [collection] = self.client.get_collections().collections
        return collection.name

    def _all(self) -> list[models.Record]:
        found, rest = self.client.scroll(self._name, limit=10_000, with_payload=True)
        assert rest is None
        return found


@contextmanager
def embedded_points(data: Path) -> Iterator[Points]:
    """The embedded engine of the server on `data`, which must not run."""
    client = QdrantClient(path=str(data / "qdrant"))
    try:
        yield Points("file:", client)
    finally:
        client.close()


@contextmanager
def served_points() -> Iterator[Points]:
    """A Qdrant for the length of the block."""
    with running_qdrant() as qdrant:
        yield Points(qdrant.address, qdrant.client)
