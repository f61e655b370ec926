"""A server of this folder's own: its tests change the protocol for all threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair

from tests.stack import Actor, RunningServer, running_stack

OPERATOR = Keypair.from_seed(bytes([7] * 32))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[RunningServer]:
    data, operators = tmp_path_factory.mktemp("house") / "data", str(OPERATOR.pubkey())
    with running_stack(data, models, CHORALE_OPERATORS=operators) as running:
        yield running


@pytest.fixture
async def admin(house: RunningServer) -> Actor:
    """Whoever the chain names as admin now, signed in; tests hand the role back."""
    actor = Actor(house, house.chain.admin)
    await actor.sign_in()
    return actor
