"""A session store keeps small values for their time to live, adds once and gives once, on SQLite and on Redis alike."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import SessionStore
from chorale.domain.updates import Authority
from datasources.cache.sessions import open_sessions
from datasources.cache.sqlite import open_sqlite_sessions
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is missing")
    folder = tmp_path_factory.mktemp("redis")
    path = folder / "redis.sock"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary, "--port", str(port), "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Ready to accept connections" in line:
                break
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        process.stdout.close()


@pytest.fixture(params=["memory", "redis"])
async def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SessionStore]:
    url = "memory:" if request.param == "memory" else request.getfixturevalue("redis_url")
    async with open_sessions(url, tmp_path / "sessions.sqlite") as store:
        yield store


async def test_put_get_replace_delete(sessions: SessionStore) -> None:
    assert await sessions.get("a") is None
    await sessions.put("a", b"\x00\xffone", 60)
    assert await sessions.get("a") == b"\x00\xffone"
    await sessions.put("a", b"two", 60)
    assert await sessions.get("a") == b"two"
    await sessions.delete("a")
    await sessions.delete("a")
    assert await sessions.get("a") is None


async def test_of_many_takers_one_gets_the_value(sessions: SessionStore) -> None:
    await sessions.put("nonce", b"issued", 60)
    taken = await asyncio.gather(*(sessions.take("nonce") for _ in range(10)))
    assert sorted(value for value in taken if value is not None) == [b"issued"]


async def test_of_many_adders_one_succeeds(sessions: SessionStore) -> None:
    added = await asyncio.gather(*(sessions.add("added", str(at).encode(), 60) for at in range(10)))
    assert added.count(True) == 1
    assert await sessions.get("added") == str(added.index(True)).encode()
    await sessions.delete("added")


async def test_values_expire_and_may_then_be_added_again(sessions: SessionStore) -> None:
    await sessions.put("short", b"1", 0.02)
    await asyncio.sleep(0.03)  # time itself is what is tested
    assert await sessions.get("short") is None
    assert await sessions.take("short") is None
    assert await sessions.add("short", b"2", 0.02)
    await asyncio.sleep(0.03)
    assert await sessions.add("short", b"3", 60)
    assert await sessions.get("short") == b"3"


async def test_sqlite_survives_a_restart_and_collects_what_has_expired(tmp_path: Path) -> None:
    now = 1000.0
    path = tmp_path / "new" / "sessions.sqlite"
    async with open_sqlite_sessions(path, lambda: now) as store:
        await store.put("stays", b"1", 100)
        await store.put("goes", b"2", 10)
    now = 1050.0
    async with open_sqlite_sessions(path, lambda: now) as store:
        assert await store.get("stays") == b"1"
        assert await store.get("goes") is None
    assert path.stat().st_mode & 0o077 == 0


async def test_a_store_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthorityUnavailableError) as caught:
        async with open_sessions("redis://127.0.0.1:1/0", tmp_path / "unused"):
            pass
    assert caught.value.authority is Authority.BACKEND
    async with open_sqlite_sessions(tmp_path / "closed") as store:
        pass
    with pytest.raises(AuthorityUnavailableError):
        await store.get("a")


async def test_who_cancels_is_heard_at_any_moment(sessions: SessionStore) -> None:
    """However far a call has come: what ends with the server must not go on; the next call works."""
    for ticks in range(40):
        asking = asyncio.create_task(sessions.put("given up", b"value", 60))
        for _ in range(ticks):
            await asyncio.sleep(0)
        was_done = asking.done()
        asking.cancel()
        await asyncio.wait((asking,), timeout=PATIENCE)
        assert was_done or asking.cancelled(), ticks
        assert await sessions.get("given up") in (None, b"value")
