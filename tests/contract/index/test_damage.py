"""An index that turns out to be damaged while it is used says so, and is derived anew when it is opened again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.projection import Projection
from datasources.index import open_index
from tests.contract.index import samples
from tests.faults.damage import PAGE
from tests.patience import PATIENCE

ORIGIN = ("g", "p", "m")


def _another_status(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE messages SET status = 'PUBLISHEE'")


def _no_text(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE messages SET status = CAST(x'ff50' AS TEXT)")


def _page(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'")
    with file.open("r+b") as opened:
        opened.seek((root - 1) * PAGE)
        opened.write(b"\xff" * PAGE)


@pytest.mark.parametrize("harm", [_another_status, _no_text, _page])
async def test_damage_that_no_start_sees(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """Who reads hears that the index cannot be used, who opened it that it is damaged; the next one is empty."""
    thread = samples.thread("t", sequence=3)
    message = samples.message("m", status=MessageStatus.PENDING, sequence=3)
    async with open_index(tmp_path, *ORIGIN) as index:
        await index.apply(Projection(thread, 1, (message,)))
    [file] = tmp_path.glob("*.sqlite3")
    told: asyncio.Queue[str] = asyncio.Queue()
    async with open_index(tmp_path, *ORIGIN, told.put_nowait) as index:
        await asyncio.to_thread(harm, file)
        with pytest.raises(AuthorityUnavailableError, match="index cannot be used"):
            await index.listed(thread.thread_id, message.content_hash)
        assert await asyncio.wait_for(told.get(), PATIENCE)
    async with open_index(tmp_path, *ORIGIN, told.put_nowait) as index:
        assert await index.thread_sequence(thread.thread_id) == 0
        await index.apply(Projection(thread, 1, (message,)))
        assert await index.listed(thread.thread_id, message.content_hash)
    assert told.empty()
