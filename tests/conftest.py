"""Real chains shared by a whole run; each test uses wallets and threads of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from tests.chains import RunningChain, running_localnet
from tests.program.scenario import limits, people
from tests.stack import RunningServer, running_stack
from tests.validator import SPARE_PROGRAMS, Preloaded, running_validator

BRIEF_WINDOW = 10  # s: time enough for the steps that have to come before its end


@pytest.fixture(scope="session")
def localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    """The embedded chain."""
    with running_localnet(tmp_path_factory.mktemp("localnet")) as chain:
        yield chain


@pytest.fixture(scope="session")
def only_validator() -> Iterator[ExitStack]:
    """The one validator that runs; each takes a core, so it is ended before another is started."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def validator(only_validator: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> RunningChain:
    """Agave's test validator; it has the scenario's program as well, and spare ones, not initialised."""
    only_validator.close()
    tmp = tmp_path_factory.mktemp("validator")
    programs = [people.PROGRAM, *SPARE_PROGRAMS]
    return only_validator.enter_context(running_validator(tmp, beside=[program.pubkey() for program in programs]))


@pytest.fixture(scope="session")
def brief_validator(only_validator: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> RunningChain:
    """The same on a second ledger, preloaded with the scenario's accounts: messages expire after seconds."""
    only_validator.close()
    accounts = asyncio.run(limits.preloaded(BRIEF_WINDOW))
    beginning = Preloaded(people.PROGRAM, people.ADMIN, people.MINT, BRIEF_WINDOW, accounts)
    return only_validator.enter_context(running_validator(tmp_path_factory.mktemp("brief"), preloaded=beginning))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the second ledger comes first, before the first one's validator is started."""
    items.sort(key=lambda item: item.get_closest_marker("brief") is None)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model's folder, built once for every server of a run."""
    data = tmp_path_factory.mktemp("models")

    async def build() -> None:
        async with open_embedder(DEFAULT_MODEL, data, lambda _: None):
            pass

    asyncio.run(build())
    return data / "models"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[RunningServer]:
    """A server process for all tests that only add to it."""
    with running_stack(tmp_path_factory.mktemp("server") / "data", models) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CHORALE_TEST_NO_SKIPS is set, a skipped test is a failed one: everything is meant to be installed."""
    report = yield
    if report.skipped and os.environ.get("CHORALE_TEST_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CHORALE_TEST_NO_SKIPS is set: {report.longrepr}"
    return report
