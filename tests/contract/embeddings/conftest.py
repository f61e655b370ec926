"""The default model, built once for all tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import FastEmbedder, open_embedder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that the first embedder fills."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
async def embedder(data: Path) -> AsyncIterator[FastEmbedder]:
    """The default model."""
    async with open_embedder(DEFAULT_MODEL, data, lambda _: None) as opened:
        yield opened
