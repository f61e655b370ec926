"""One chain of each kind and one model for all tests of this folder; they make their own wallets and folders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import FastEmbedder, open_embedder
from tests.chains import RunningChain
from tests.spine.desk import Desk, open_desk
from tests.spine.parts import Actor, Parts, open_parts


@pytest.fixture(scope="session", params=["localnet", pytest.param("validator", marks=pytest.mark.validator)])
def running(request: pytest.FixtureRequest) -> RunningChain:
    chain: RunningChain = request.getfixturevalue(request.param)
    return chain


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastEmbedder]:
    async with open_embedder(DEFAULT_MODEL, tmp_path_factory.mktemp("model"), lambda _: None) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def parts(running: RunningChain, embedder: FastEmbedder, tmp_path: Path) -> AsyncIterator[Parts]:
    async with open_parts(running, embedder, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ana(running: RunningChain) -> Actor:
    return Actor(running, await running.wallet())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ben(running: RunningChain) -> Actor:
    return Actor(running, await running.wallet())


@pytest_asyncio.fixture(loop_scope="session")
async def desk(parts: Parts, ana: Actor, ben: Actor, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(parts, tmp_path, actors=(ana, ben)) as opened:
        yield opened
