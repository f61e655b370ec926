"""A server of this folder's own: its tests change the protocol for all threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Actor, RunningServer, running_stack


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[RunningServer]:
    with running_stack(tmp_path_factory.mktemp("house") / "data", models) as running:
        yield running


@pytest.fixture
async def admin(house: RunningServer) -> Actor:
    """Whoever the chain names as admin now, signed in; tests hand the role back."""
    actor = Actor(house, house.chain.admin)
    await actor.sign_in()
    return actor
