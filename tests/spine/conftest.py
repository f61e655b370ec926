"""One embedded chain and one model for all tests of this folder; they make their own wallets and folders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import FastEmbedder, open_embedder
from tests.chains import RunningChain, running_localnet
from tests.spine.parts import Actor, Parts, open_parts


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")
    with running_localnet(tmp_path_factory.mktemp("chain")) as chain:
        yield chain


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
