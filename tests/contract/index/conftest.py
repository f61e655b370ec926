"""An empty index in a folder of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from datasources.index import SqliteIndex, open_index
from tests.contract.index.samples import GENESIS, MODEL, PROGRAM


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    async with open_index(tmp_path, GENESIS, PROGRAM, MODEL) as opened:
        yield opened
