"""Real chains shared by a whole run; each test uses wallets and threads of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chains import RunningChain, running_localnet, running_validator


@pytest.fixture(scope="session")
def localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """The embedded chain."""
    with running_localnet(tmp_path_factory.mktemp("localnet")) as chain:
        yield chain


@pytest.fixture(scope="session")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """Agave's test validator."""
    with running_validator(tmp_path_factory.mktemp("validator")) as chain:
        yield chain
