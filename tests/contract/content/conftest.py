"""Opens the content store on every engine at hand: embedded, embedded under the server's write path, and a server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from datasources.qdrant import CollectionIdentity, QdrantContent
from datasources.qdrant.collection import ensure_collection
from datasources.qdrant.engine import Engine, open_engine
from tests.contract.content.samples import DIMENSIONS, FINGERPRINT, key

SERVER = os.environ.get("CHORALE_TEST_QDRANT_URL")
ENGINES = ["embedded", "embedded-filters", *(["server"] if SERVER else [])]

NewStore = Callable[[], QdrantContent]


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """`embedded-filters` writes as to a server, with every condition as a filter, into the embedded engine."""
    if request.param == "server":
        assert SERVER is not None
        async with open_engine(SERVER, tmp_path) as opened:
            yield opened
    elif request.param == "embedded":
        async with open_engine("file:", tmp_path / "content") as opened:
            yield opened
    else:
        with ThreadPoolExecutor(1) as threads:
            client = threads.submit(lambda: QdrantClient(path=str(tmp_path / "content"))).result()
            yield Engine(client, threads, exclusive=False)
            threads.submit(client.close).result()


@pytest.fixture
async def new_store(engine: Engine) -> AsyncIterator[NewStore]:
    """Makes empty stores, each for a program of its own."""
    numbers = count(int.from_bytes(os.urandom(4)))
    made: list[str] = []
    embedded = SERVER is None or isinstance(engine.client.init_options.get("path"), str)

    def new() -> QdrantContent:
        identity = CollectionIdentity(key(1), key(next(numbers)), FINGERPRINT, DIMENSIONS)
        engine.threads.submit(lambda: ensure_collection(engine.client, identity, exclusive=embedded)).result()
        made.append(identity.name)
        return QdrantContent(engine, identity)

    yield new
    for name in made:
        engine.threads.submit(engine.client.delete_collection, name).result()


@pytest.fixture
def store(new_store: NewStore) -> QdrantContent:
    """One empty store."""
    return new_store()
