"""Every named point at which a long run kills is come by, as a witness at all of them tells; the short form has few."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.doomed import place_of
from tests.faults.outsiders import an_outsider
from tests.faults.report import ScenarioReport
from tests.faults.scenarios.points import POINTS, lead_to
from tests.faults.world import Options, open_world
from tests.patience import PATIENCE
from tests.processes import needs_proc


@needs_proc
@pytest.mark.faults
async def test_each_point_is_come_by(tmp_path: Path, models: Path, seed: int) -> None:
    """One server lives through what leads to each point, in the order and by the kinds of mutation of the long form."""
    lines, report = tmp_path / "lines", ScenarioReport("points", seed)
    launcher = ("-m", "tests.faults.doomed", "witness")
    options = Options(seed, tmp_path, models)
    async with open_world(options, report, launcher=launcher, CHORALE_TEST_ARMED=str(lines)) as world:
        pair = await world.settle_down()
        outsider = await an_outsider(world.chain.chain)
        for turn, point in enumerate(POINTS):
            lines.unlink(missing_ok=True)
            name, where, calls = place_of(point)
            await lead_to(point, turn, pair, outsider, lines)
            try:
                async with asyncio.timeout(PATIENCE):
                    while Counter(lines.read_text().splitlines())[f"{name}:{where}"] < calls:
                        await asyncio.sleep(0.02)
            except TimeoutError:
                pytest.fail(f"Nothing has come by {point}, only by {sorted(set(lines.read_text().split()))}.")
