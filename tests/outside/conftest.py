"""Both chains, and a server that reaches them by address alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chains import ROOT, RunningChain
from tests.outside.node import compiled
from tests.stack import RunningServer, running_stack


@pytest.fixture(params=["localnet", pytest.param("validator", marks=pytest.mark.validator)])
def chain(request: pytest.FixtureRequest) -> RunningChain:
    running: RunningChain = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def served(chain: RunningChain, models: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """A server on `chain`."""
    with running_stack(tmp_path / "data", models, chain) as server:
        yield server


@pytest.fixture(scope="session")
def client() -> Path:
    """The folder of the TypeScript client, compiled."""
    return compiled(ROOT / "web" / "client")
