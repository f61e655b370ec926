"""A new embedded chain for every test: a keeper sees all of it, and the clock is turned."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chains import RunningChain, running_localnet
from tests.keeper.field import Field, open_field


@pytest.fixture
def own_localnet(tmp_path: Path) -> Iterator[RunningChain]:
    pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")
    with running_localnet(tmp_path / "chain") as chain:
        yield chain


@pytest.fixture
async def land(own_localnet: RunningChain, tmp_path: Path) -> AsyncIterator[Field]:
    async with open_field(own_localnet, tmp_path) as opened:
        yield opened
