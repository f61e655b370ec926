"""One stack for all tests of this folder that read the graph; what they share they only read."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from tests.chains import RunningChain
from tests.graphql.stack import Stack, Story, tell
from tests.spine.parts import Parts, open_parts


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def parts(localnet: RunningChain, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    folder = tmp_path_factory.mktemp("graph")
    async with (
        open_embedder(DEFAULT_MODEL, folder / "model", lambda _: None) as embedder,
        open_parts(localnet, embedder, folder) as opened,
        opened.watch(),
    ):
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def story(parts: Parts) -> Story:
    return await tell(parts)


@pytest.fixture
def stack(parts: Parts) -> Stack:
    return Stack(parts)
