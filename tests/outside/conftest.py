"""Both chains, and a server that reaches them by address alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chains import RunningChain
from tests.stack import RunningServer, running_stack


@pytest.fixture(params=["localnet", pytest.param("validator", marks=pytest.mark.validator)])
def chain(request: pytest.FixtureRequest) -> RunningChain:
    running: RunningChain = request.getfixturevalue(request.param)
    return running


@pytest.fixture
def served(chain: RunningChain, models: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """A server on `chain`."""
    settings = {
        "CHORALE_CHAIN_URL": chain.rpc_url,
        "CHORALE_CHAIN_WS_URL": chain.ws_url,
        "CHORALE_PROGRAM_ID": chain.program_id,
    }
    with running_stack(tmp_path / "data", models, **settings) as server:
        yield server
