"""A server's life: it ends cleanly when told to, loses nothing when it is killed, and outlives its chain's death."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chorale.process.data_directory import holder_of
from tests import operations
from tests.chains import ROOT
from tests.processes import child_of, is_running, needs_proc, until
from tests.stack import RunningServer, running_stack, unique


@needs_proc
@pytest.mark.faults
async def test_everything_outlives_every_kind_of_end(tmp_path: Path, models: Path) -> None:
    """Stop, a lost index, kill -9, a killed chain: sessions, messages, events, search and cursors outlive each."""
    with running_stack(tmp_path / "data", models) as server:
        ada = await server.actor()
        thread_id = await ada.create_thread()
        body = unique("The ferry left without its captain")
        posted = await ada.act("postMessage", threadId=thread_id, body=body)
        cursor = posted["thread"]["eventCursor"]
        expected = await server.data_of(operations.READ_THREAD, {"threadId": thread_id})

        child = child_of(server.pid)
        assert server.stop() == 0
        assert not is_running(child)
        assert holder_of(server.data) is None
        server.start()
        await _same(server, thread_id, body, expected)

        server.stop()
        shutil.rmtree(server.data / "index")  # derived: rebuilt from chain and content, and old cursors still hold
        server.start()
        await _same(server, thread_id, body, expected)

        child = child_of(server.pid)
        assert server.kill() == -signal.SIGKILL
        until(lambda: not is_running(child), "the end of the chain whose server was killed")
        server.start()
        await _same(server, thread_id, body, expected)

        child = child_of(server.pid)
        os.kill(child, signal.SIGKILL)
        until(lambda: "answers again" in server.log.read_text(), "the chain's second start")
        assert "starting it again (1 of 3)" in server.log.read_text()
        await _same(server, thread_id, body, expected)
        async with server.subscribed(operations.EVENTS, {"threadId": thread_id, "after": cursor}, ada.token) as events:
            again = await ada.act("postMessage", threadId=thread_id, body="After all that.")
            event = (await events.next())["threadEvents"]
            while event["__typename"] == "UpdateVerified":
                event = (await events.next())["threadEvents"]
            assert event["message"]["contentHash"] == again["message"]["contentHash"]
        assert (await ada.ask("{ viewer { address } }"))["viewer"]["address"] == ada.address


async def _same(server: RunningServer, thread_id: str, body: str, expected: dict[str, object]) -> None:
    read = await server.data_of(operations.READ_THREAD, {"threadId": thread_id})
    for each in (read, expected):
        thread = each["thread"]
        assert isinstance(thread, dict)
        thread.pop("eventCursor", None)  # the same place, written after more of the log
    assert read == expected
    found = await server.data_of(operations.SEARCH, {"query": body, "mode": "HYBRID"})
    assert found["search"]["nodes"][0]["body"] == body


@needs_proc
@pytest.mark.faults
def test_a_chain_that_keeps_dying_ends_the_server(tmp_path: Path, models: Path) -> None:
    """After three new starts the server gives up, says so, and exits with 1."""
    with running_stack(tmp_path / "data", models) as server:
        for attempt in range(1, 4):
            os.kill(child_of(server.pid), signal.SIGKILL)
            until(lambda n=attempt: server.log.read_text().count("answers again") == n, "another start")  # type: ignore[misc]
        os.kill(child_of(server.pid), signal.SIGKILL)
        assert server.wait() == 1
        assert "giving up" in server.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_while_starting(tmp_path: Path, models: Path, number: signal.Signals) -> None:
    """A start that is broken off ends with 0, without a traceback, and leaves the directory free."""
    shutil.copytree(models, tmp_path / "data" / "models")
    environ = os.environ | {
        "CHORALE_DATA": str(tmp_path / "data"),
        "CHORALE_PORT": "0",
        "CHORALE_CHAIN_RPC_PORT": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "chorale", "serve"], cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True
    )
    until(lambda: (tmp_path / "data" / "localnet").exists(), "the chain's folder")
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in err) == (0, False), err
    assert holder_of(tmp_path / "data") is None


def test_localnet_alone(tmp_path: Path) -> None:
    """The chain by itself names its addresses, and ends when told to."""
    environ = os.environ | {"CHORALE_DATA": str(tmp_path / "data"), "CHORALE_CHAIN_RPC_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "chorale", "localnet"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    assert [line.split(":")[0] for line in lines] == ["RPC", "Program", "Mint"]
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "Traceback" in err) == (0, False), err
