"""Collections of a server: a shard of Edge each, in a folder that outlives the process, however that ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from qdrant_client import models

from tests.qdrant import translation
from tests.qdrant.filters import only, optional_filter

_OPTIONS = {
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000},
    "optimizer_config": {
        "deleted_threshold": 0.2,
        "vacuum_min_vector_number": 1000,
        "default_segment_number": 0,
        "flush_interval_sec": 5,
    },
}
"""What a client wants to read of every collection, and nobody here looks at."""
_DONE = {"operation_id": 0, "status": "completed"}


class Collection:
    """One shard and what it was created with: a new one as `wanted`, or the one that is in the folder."""

    def __init__(self, folder: Path, wanted: models.CreateCollection | None) -> None:
        self._folder = folder
        described, shard = folder / "collection.json", str(folder / "shard")
        if wanted is None:
            self._wanted = models.CreateCollection.model_validate_json(described.read_bytes())
            self._shard = edge.EdgeShard.load(shard)
        else:
            folder.mkdir(parents=True)
            self._wanted = wanted
            self._shard = edge.EdgeShard.create(shard, translation.configuration(wanted))
            described.write_text(wanted.model_dump_json(exclude_none=True))  # last: a folder without it is none

    def close(self) -> None:
        """Let go of its files."""
        self._shard.close()

    def drop(self) -> None:
        """Delete them."""
        self.close()
        shutil.rmtree(self._folder)

    def info(self) -> dict[str, Any]:
        """Its configuration and its payload indexes."""
        found = self._shard.info()
        wanted = json.loads(self._wanted.model_dump_json(exclude_none=True))
        return {
            "status": "green",
            "optimizer_status": "ok",
            "points_count": found.points_count,
            "segments_count": found.segments_count,
            "config": {
                "params": {"vectors": wanted["vectors"], "sparse_vectors": wanted.get("sparse_vectors", {})},
                "metadata": wanted.get("metadata"),
                **_OPTIONS,
            },
            "payload_schema": {
                name: {"data_type": translation.schema_name(index.data_type), "points": index.points}
                for name, index in found.payload_schema.items()
            },
        }

    def index(self, body: Any) -> Any:
        """A payload index."""
        wanted = models.CreateFieldIndex.model_validate(body)
        kind = translation.schema(wanted.field_schema)
        return self._update(edge.UpdateOperation.create_field_index(wanted.field_name, kind))

    def upsert(self, body: Any) -> Any:
        """Points inserted or replaced."""
        return self._update(translation.upsert(models.PointsList.model_validate(body)))

    def change(self, wanted: Any) -> Any:
        """One change of points."""
        return self._update(translation.update(wanted))

    def batch(self, body: Any) -> Any:
        """Changes one after another; one that is refused ends it, and those before it stay."""
        done = []
        for operation in body["operations"]:  # each as the points are once those before it are done
            alone = models.UpdateOperations.model_validate({"operations": [self._without_bools(operation)]})
            done += [self.change(step) for step in alone.operations]
        return done

    def overwrite(self, body: Any) -> Any:
        """A payload replaced as a whole."""
        return self._update(translation.overwrite(models.SetPayload.model_validate(body)))

    def read(self, body: Any) -> Any:
        """Points by their ids."""
        wanted = models.PointRequest.model_validate(body)
        only(wanted, "ids", "with_payload", "with_vector")
        part = translation.payload_part(wanted.with_payload, default=True)
        found = self._shard.retrieve(wanted.ids, part, wanted.with_vector or False)
        return [translation.record(each) for each in found]

    def scroll(self, body: Any) -> Any:
        """A page of points, and where the next begins."""
        found, offset = self._shard.scroll(translation.scroll(models.ScrollRequest.model_validate(body)))
        points = [translation.record(each) for each in found]
        return {"points": points, "next_page_offset": translation.id_as_json(offset)}

    def count(self, body: Any) -> Any:
        """How many points, exactly."""
        wanted = models.CountRequest.model_validate(body)
        only(wanted, "filter", "exact")
        return {"count": self._shard.count(edge.CountRequest(exact=True, filter=optional_filter(wanted.filter)))}

    def query(self, body: Any) -> Any:
        """A search."""
        found = self._shard.query(translation.query(models.QueryRequest.model_validate(body)))
        return {"points": [translation.record(each) for each in found]}

    def _without_bools(self, body: Any) -> Any:
        """The same with the ids of the points that meet it for each condition that a field is true, or false: Edge's
        Python interface would take these for 1 and 0."""
        match body:
            case {"key": key, "match": {"value": bool() as value}}:
                found, _ = self._shard.scroll(edge.ScrollRequest(limit=self._shard.info().points_count))
                ids = [point.id for point in found if (point.payload or {}).get(key) is value]
                return {"has_id": [translation.id_as_json(id) for id in ids]}
            case dict():
                return {name: self._without_bools(part) for name, part in body.items()}
            case list():
                return [self._without_bools(part) for part in body]
        return body

    def _update(self, operation: edge.UpdateOperation) -> Any:
        self._shard.update(operation)
        return _DONE


class Collections:
    """All of a folder, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = {path.parent.name: Collection(path.parent, None) for path in folder.glob("*/collection.json")}

    def close(self) -> None:
        """Let go of every file."""
        for collection in self._open.values():
            collection.close()

    def names(self) -> list[str]:
        """Those that exist."""
        return sorted(self._open)

    def of(self, name: str) -> Collection:
        """One of them. Raises KeyError."""
        return self._open[name]

    def create(self, name: str, body: Any) -> Any:
        """A new one. Raises FileExistsError."""
        if name in self._open:
            raise FileExistsError(f"Collection {name} already exists")
        shutil.rmtree(self._folder / name, ignore_errors=True)
        self._open[name] = Collection(self._folder / name, models.CreateCollection.model_validate(body))
        return True

    def drop(self, name: str) -> Any:
        """Delete one."""
        self._open.pop(name).drop()
        return True
