"""Brief writes run where they come up, unless another is being written: then they queue behind it, in order."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chorale.domain.errors import AuthorityUnavailableError
from datasources.index import writer
from datasources.index.connections import Connections
from datasources.index.files import prepare
from tests.patience import PATIENCE

INSERT = "INSERT INTO meta (key, value) VALUES (?, ?)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return prepare(tmp_path, "genesis", "program", "model")[0]


@pytest.fixture
async def connections(file: Path) -> AsyncIterator[Connections]:
    opened = Connections(file)
    yield opened
    await opened.close()


def read(connections: Connections) -> list[str]:
    """Values in the order in which they were written."""
    return connections.look(
        lambda connection: [
            row[0] for row in connection.execute("SELECT value FROM meta WHERE key LIKE 'test %' ORDER BY key")
        ]
    )


async def test_order_is_kept_behind_a_long_write(connections: Connections) -> None:
    """And whoever waits is told after its commit, once."""
    begun, go_on, told = threading.Event(), threading.Event(), list[str]()

    def long(connection: sqlite3.Connection) -> int:
        begun.set()
        go_on.wait(PATIENCE)
        connection.execute(INSERT, ("test 1", "long"))
        return threading.get_ident()

    def brief(connection: sqlite3.Connection) -> int:
        number = connection.execute("SELECT count(*) FROM meta WHERE key LIKE 'test %'").fetchone()[0]
        connection.execute(INSERT, (f"test {number + 1}", "brief"))
        return threading.get_ident()

    first = asyncio.create_task(connections.write(long, lambda: told.append("long")))
    await asyncio.to_thread(begun.wait, PATIENCE)
    second = asyncio.create_task(connections.write(brief, lambda: told.append("brief"), brief=True))
    await asyncio.sleep(0)
    assert not second.done()
    assert read(connections) == []
    go_on.set()
    writer = await first
    assert await second == writer != threading.get_ident()
    assert told == ["long", "brief"]
    assert await connections.write(brief, lambda: told.append("here"), brief=True) == threading.get_ident()
    assert told == ["long", "brief", "here"]
    assert read(connections) == ["long", "brief", "brief"]


async def test_a_brief_write_that_fails_changes_nothing_and_wakes_nobody(connections: Connections) -> None:
    """Nor does it stand in the way of the next."""
    told: list[str] = []

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute(INSERT, ("test 1", "half"))
        connection.execute("INSERT INTO nothing VALUES (1)")

    with pytest.raises(AuthorityUnavailableError):
        await connections.write(broken, lambda: told.append("broken"), brief=True)
    assert (read(connections), told) == ([], [])
    await connections.write(lambda connection: connection.execute(INSERT, ("test 1", "whole")) and None, brief=True)
    assert read(connections) == ["whole"]


async def test_a_lock_of_another_process_is_waited_for_beside_the_loop(connections: Connections, file: Path) -> None:
    """Somebody looks into the file with a tool, and holds it: requests go on meanwhile."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = connections.write(lambda connection: connection.execute(INSERT, ("test 1", "waited")) and None, brief=True)
    waiting = asyncio.create_task(write)
    async with asyncio.timeout(PATIENCE):
        while connections.look(lambda connection: connection.execute("SELECT 1").fetchall()) and not waiting.done():
            await asyncio.sleep(0)
            if other.in_transaction:
                other.execute("COMMIT")
    await waiting
    other.close()
    assert read(connections) == ["waited"]


async def test_the_log_that_is_written_ahead_stays_bounded(
    connections: Connections, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is brought into the file again and again, beside the loop, and begins anew."""
    monkeypatch.setattr(writer, "_CHECKPOINT", 20)
    log = file.with_name(file.name + "-wal")
    sizes = []
    for number in range(400):
        value = f"{number:04}" * 500

        def work(connection: sqlite3.Connection, value: str = value) -> None:
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('test', ?)", (value,))

        await connections.write(work, brief=True)
        if number % 20 == 0:
            await connections.write(lambda _: None)  # behind the checkpoint, on the writer's thread
            sizes.append(log.stat().st_size)
    assert max(sizes) < 500_000
