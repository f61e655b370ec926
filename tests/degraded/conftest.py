"""One house for all tests of this folder; each finds it well and leaves it so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chains import RunningChain
from tests.degraded.house import House, running_house


@pytest.fixture(scope="session")
def degraded_house(localnet: RunningChain, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running_house(localnet, models, tmp_path_factory.mktemp("degraded")) as house:
        yield house


@pytest.fixture
async def house(degraded_house: House) -> AsyncIterator[House]:
    await degraded_house.mend()
    yield degraded_house
    await degraded_house.mend()
