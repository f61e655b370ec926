"""Opens the content store on every engine at hand: embedded, by REST, and a real server where one is named."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from datasources.qdrant import CollectionIdentity, QdrantContent
from datasources.qdrant.collection import ensure_collection
from datasources.qdrant.engine import Engine
from datasources.qdrant.opening import open_engine
from tests.contract.content.samples import DIMENSIONS, FINGERPRINT, key
from tests.qdrant.rest import running_qdrant

SERVER = os.environ.get("CHORALE_TEST_QDRANT_URL") or None

# Listed without a server too, so that a run says what it left out. Where skips count as failures (CI, which has
# no server binary), an absent server's parameter is omitted.
_LISTED = SERVER is not None or not os.environ.get("CHORALE_TEST_NO_SKIPS")

NewStore = Callable[[], QdrantContent]


@pytest.fixture(params=["embedded", "edge", *(["server"] if _LISTED else [])])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """One engine under the whole suite."""
    with ExitStack() as stack:
        addresses = {
            "embedded": lambda: "file:",
            "edge": lambda: stack.enter_context(running_qdrant()).address,
            "server": _server,
        }
        async with open_engine(addresses[request.param](), tmp_path / "content") as opened:
            yield opened


def _server() -> str:
    if SERVER is None:
        pytest.skip("CHORALE_TEST_QDRANT_URL names no Qdrant server")
    return SERVER


@pytest.fixture
async def new_store(engine: Engine) -> AsyncIterator[NewStore]:
    """Makes empty stores, each for a program of its own."""
    numbers = count(int.from_bytes(os.urandom(4)))
    made: list[str] = []

    def new() -> QdrantContent:
        identity = CollectionIdentity(key(1), key(next(numbers)), FINGERPRINT, DIMENSIONS)
        engine.threads.submit(lambda: ensure_collection(engine.client, identity, exclusive=engine.exclusive)).result()
        made.append(identity.name)
        return QdrantContent(engine, identity)

    yield new
    for name in made:
        engine.threads.submit(engine.client.delete_collection, name).result()


@pytest.fixture
def store(new_store: NewStore) -> QdrantContent:
    """One empty store."""
    return new_store()
