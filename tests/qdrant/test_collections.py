"""The tests' Qdrant keeps what it acknowledged, tells true from 1, and refuses what it does not know."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from qdrant_client import models
from qdrant_client.http.exceptions import UnexpectedResponse

from tests.qdrant.collections import Collections
from tests.qdrant.rest import RunningQdrant, running_qdrant

NAME = "points"
WANTED = models.CreateCollection(vectors={"dense": models.VectorParams(size=2, distance=models.Distance.COSINE)})
IDS = [str(UUID(int=number)) for number in range(3)]


def fill(qdrant: RunningQdrant) -> None:
    """Three points, marked true, 1 and not at all."""
    qdrant.client.create_collection(NAME, vectors_config=WANTED.vectors)
    marks: tuple[dict[str, Any], ...] = ({"mark": True}, {"mark": 1}, {})
    points = [models.PointStruct(id=id, vector={}, payload=mark) for id, mark in zip(IDS, marks, strict=True)]
    qdrant.client.upsert(NAME, points)


def test_a_batch_that_asks_for_true_does_not_mean_one() -> None:
    marked = models.Filter(must=[models.FieldCondition(key="mark", match=models.MatchValue(value=True))])
    step = models.SetPayloadOperation(set_payload=models.SetPayload(payload={"met": 1}, filter=marked))
    with running_qdrant() as qdrant:
        fill(qdrant)
        qdrant.client.batch_update_points(NAME, [step])
        met = [point.id for point in qdrant.client.retrieve(NAME, IDS) if "met" in (point.payload or {})]
    assert met == [IDS[0]]


def test_what_it_does_not_know_is_refused_by_name() -> None:
    """Nothing that the store might ask one day passes for answered."""
    word = models.Filter(must=[models.FieldCondition(key="mark", match=models.MatchText(text="one"))])
    with running_qdrant() as qdrant:
        fill(qdrant)
        with pytest.raises(UnexpectedResponse, match="does not know"):
            qdrant.client.count(NAME, word)
        with pytest.raises(UnexpectedResponse, match="QueryRequest with score_threshold"):
            qdrant.client.query_points(NAME, query=[1.0, 0.0], using="dense", score_threshold=0.5)


def test_what_is_in_a_folder_is_there_again(tmp_path: Path) -> None:
    body = WANTED.model_dump(mode="json", exclude_none=True)
    with closing(Collections(tmp_path)) as collections:
        collections.create(NAME, body)
        collections.of(NAME).upsert({"points": [{"id": IDS[0], "vector": {}, "payload": {"mark": 7}}]})
    with closing(Collections(tmp_path)) as collections:
        [point] = collections.of(NAME).read({"ids": [IDS[0]]})
        assert point["payload"] == {"mark": 7}
        assert collections.of(NAME).info()["points_count"] == 1
