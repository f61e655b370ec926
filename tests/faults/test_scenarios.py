"""Every scenario of `python -m tests.faults`, in its short form: nothing acknowledged is lost, nothing unpublished is
shown, and all systems agree again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from solders.keypair import Keypair

from tests.chains import RunningChain
from tests.faults.runner import SCENARIOS, run_scenario
from tests.faults.world import Options
from tests.processes import needs_proc
from tests.validator import SPARE_PROGRAMS

_ELSEWHERE = ("kills", "points", "wires", "rewinds")  # in files of their own, so that they run beside these
_IN_MEMORY = tuple(name for name in SCENARIOS if name not in _ELSEWHERE)
_ON_VALIDATOR = (("kills",), ("wires",), ("past", "content", "repairs"))  # where the chain matters most
_KILLS = 3


async def run_clean(name: str, options: Options, program: Keypair | None = None) -> None:
    """The scenario, with something broken, something healed and somebody who looked."""
    report = await run_scenario(name, options, program)
    assert report.is_clean, report
    assert report.healings
    assert report.looks


@needs_proc
@pytest.mark.faults
@pytest.mark.parametrize("name", _IN_MEMORY)
async def test_in_memory(name: str, tmp_path: Path, models: Path, seed: int) -> None:
    """On the embedded chain, with sessions and cache in memory."""
    await run_clean(name, Options(seed, tmp_path, models, short=True))


@needs_proc
@pytest.mark.faults
@pytest.mark.validator
@pytest.mark.parametrize("names", _ON_VALIDATOR, ids="+".join)
async def test_on_the_validator(
    names: tuple[str, ...], validator: RunningChain, tmp_path: Path, models: Path, seed: int
) -> None:
    """The same on the real validator, which no scenario kills, each in a program of its own; those that wait for
    finality most of the time do so side by side."""
    options = Options(seed, tmp_path, models, _KILLS, short=True, cluster=validator)
    async with asyncio.TaskGroup() as tasks:
        for name in names:
            tasks.create_task(run_clean(name, options, SPARE_PROGRAMS[list(SCENARIOS).index(name)]))
