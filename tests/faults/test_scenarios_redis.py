"""The scenarios in which Redis matters, in their short form, with sessions and cache in it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.test_scenarios import run_clean
from tests.faults.world import Options
from tests.processes import needs_proc
from tests.redis import running_redis

_SCENARIOS = ("points", "wires", "rewinds")


@needs_proc
@pytest.mark.faults
@pytest.mark.parametrize("name", _SCENARIOS)
async def test_with_redis(name: str, tmp_path: Path, models: Path, seed: int) -> None:
    """Nothing acknowledged is lost, nothing unpublished is shown, and all systems agree again."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(folder))
        await run_clean(name, Options(seed, tmp_path, models, short=True, redis=redis))
