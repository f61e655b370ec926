"""`chorale verify` says whether everything agrees, through the running server or without one, and heals when asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from chorale.process.data_directory import LOCK_FILE, holder_of
from chorale.process.verify_route import PATH
from tests.cli.commands import chorale
from tests.stack import RunningServer, running_stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own_server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> AsyncIterator[RunningServer]:
    """A server with a few messages, whose index may be damaged: it takes no samples, which would repair that."""
    data = tmp_path_factory.mktemp("verify") / "data"
    with running_stack(data, models, CHORALE_VERIFY_EVERY="0") as running:
        await write(running)
        yield running


async def write(server: RunningServer) -> None:
    """A thread with two messages."""
    actor = await server.actor()
    await actor.sign_in()
    thread_id = await actor.create_thread()
    for body in ("One.", "Two."):
        await actor.act("postMessage", threadId=thread_id, body=body)


def damage(data: Path) -> str:
    """Lie about one message in the index; its hash."""
    [file] = (data / "index").glob("index-*.sqlite3")
    with sqlite3.connect(file, timeout=10) as connection:
        [(found,)] = connection.execute(
            "UPDATE messages SET submitted_at = 1 WHERE number = (SELECT min(number) FROM messages "
            "WHERE status <> 'STAGED') RETURNING content_hash"
        ).fetchall()
    connection.close()
    return str(found)


async def test_through_the_server(own_server: RunningServer) -> None:
    """Agreement is 0, a conflict 1 until it is repaired; the report names it, progress goes elsewhere."""
    code, out, err = chorale("verify", data=own_server.data)
    assert (code, out.splitlines()[-1].startswith("Everything agrees")) == (0, True), (out, err)
    assert own_server.url in err
    assert "looked at" in err
    content_hash = damage(own_server.data)
    code, out, _ = chorale("verify", data=own_server.data)
    assert code == 1
    assert f"INDEX_WRONG Message:{content_hash}: SOLANA says submitted_at" in out
    code, out, _ = chorale("verify", "--repair", "--json", data=own_server.data)
    report = json.loads(out)
    assert (code, report["exitCode"], report["repair"]) == (0, 0, True)
    assert [(each["cause"], each["settlement"]) for each in report["conflicts"]] == [("INDEX_WRONG", "RESOLVED")]
    assert chorale("verify", data=own_server.data)[0] == 0


async def test_only_who_reads_the_directory_may_ask(own_server: RunningServer) -> None:
    """The route takes the token of the lock file, which nobody else can read, and nothing else."""
    holder = holder_of(own_server.data)
    assert holder is not None
    assert len(holder.token) >= 40
    assert holder.token not in repr(holder)
    assert (own_server.data / LOCK_FILE).stat().st_mode & 0o077 == 0
    async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
        for given in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer {holder.token}x"}):
            assert (await http.post(own_server.url + PATH, headers=given)).status_code == 403
        assert (await http.get(own_server.url + PATH)).status_code == 405
        answer = await http.post(own_server.url + PATH, headers={"authorization": f"Bearer {holder.token}"})
        assert json.loads(answer.text.splitlines()[-1])["exitCode"] == 0


async def test_without_a_server(tmp_path: Path, models: Path) -> None:
    """The command opens the directory itself and looks only; nothing is repaired unless asked."""
    data = tmp_path / "data"
    with running_stack(data, models) as server:
        await write(server)
    content_hash = damage(data)
    code, out, err = chorale("verify", data=data)
    assert (code, f"INDEX_WRONG Message:{content_hash}" in out) == (1, True), (out, err)
    code, out, _ = chorale("verify", "--repair", "--json", data=data)
    found = [(each["subject"], each["settlement"]) for each in json.loads(out)["conflicts"]]
    assert (code, found) == (0, [(f"Message:{content_hash}", "RESOLVED")])  # so the first run has left it
