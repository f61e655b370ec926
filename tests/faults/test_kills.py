"""Whenever server or chain are killed: what was acknowledged is on chain with its content, every event logged once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.runner import run_scenario
from tests.faults.world import Options
from tests.processes import needs_proc

KILLS = 10


@needs_proc
@pytest.mark.faults
async def test_kills_at_any_moment(tmp_path: Path, models: Path, seed: int) -> None:
    """While mutations run; after each, all that those in flight and their threads promise is checked."""
    report = await run_scenario("kills", Options(seed, tmp_path, models, KILLS))
    assert report.is_clean, report
    assert len(report.healings) == KILLS
    assert report.looks > 0
