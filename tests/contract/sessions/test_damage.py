"""A damaged session file costs sessions and nothing else: it is set aside and an empty store takes its place."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from datasources.cache.sessions import open_sessions
from tests.faults import damage

HARMS: dict[str, Callable[[Path, random.Random], object]] = {
    "noise": damage.overwrite,
    "pages": lambda file, dice: damage.scramble_pages(file, dice, 0.5),
    "half": lambda file, _: damage.truncate(file),
}


@pytest.mark.parametrize("harm", HARMS)
async def test_a_damaged_file_is_set_aside(tmp_path: Path, harm: str) -> None:
    """The store can be written to again, and the damaged file is kept for whoever wants to look."""
    file = tmp_path / "sessions.sqlite3"
    async with open_sessions("memory:", file) as store:
        for number in range(200):
            await store.put(f"key {number}", bytes(100), 1000)
    HARMS[harm](file, random.Random(1))
    for _ in range(2):
        async with open_sessions("memory:", file) as store:
            await store.put("new", b"1", 1000)
            assert await store.get("new") == b"1"
            assert await store.get("key 1") is None
    assert file.with_name("sessions.sqlite3.damaged").exists()


async def test_a_whole_file_stays(tmp_path: Path) -> None:
    """What was put is there after the next start."""
    file = tmp_path / "sessions.sqlite3"
    async with open_sessions("memory:", file) as store:
        await store.put("key", b"1", 1000)
    async with open_sessions("memory:", file) as store:
        assert await store.get("key") == b"1"
    assert not file.with_name("sessions.sqlite3.damaged").exists()
