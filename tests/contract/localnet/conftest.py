"""One localnet for the tests that do not mind each other; they make their own wallets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.localnet.harness import Localnet, running


@pytest.fixture(scope="package")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localnet]:
    pytest.importorskip("solders.litesvm", reason="solders carries no LiteSVM on this platform")
    with running(tmp_path_factory.mktemp("localnet")) as localnet:
        yield localnet
