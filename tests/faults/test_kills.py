"""Killed at any moment of a mutation and started again, the server or its chain has lost nothing it acknowledged, and
the log tells every event once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import operations
from tests.processes import child_of, needs_proc, until
from tests.stack import Actor, RunningServer, running_stack

ROUNDS = 10
WRITERS = 3
RESTARTS = 3  # of the chain, before a server gives up


async def write(ada: Actor, thread_id: str, body: str) -> tuple[str, str] | None:
    """Hash and body of a message that was acknowledged; None where nothing was promised."""
    try:
        payload = await ada.mutate("postMessage", await ada.signed("postMessage", threadId=thread_id, body=body))
    except (httpx.HTTPError, AssertionError, ValueError):
        return None
    if payload["__typename"] != "PostMessageSuccess" or payload["update"]["outcome"] not in ("VERIFIED", "CONFIRMED"):
        return None
    return payload["message"]["contentHash"], body


async def listed(server: RunningServer, thread_id: str) -> dict[str, Any]:
    """Every message of the thread by hash, as one reads it after the restart."""
    deadline = time.monotonic() + 30
    while True:
        body = await server.execute(operations.READ_THREAD, {"threadId": thread_id})
        thread = (body.get("data") or {}).get("thread")
        if thread and thread["messages"] and len(thread["messages"]["nodes"]) == thread["messageCount"]:
            return {message["contentHash"]: message for message in thread["messages"]["nodes"]}
        assert time.monotonic() < deadline, body
        await asyncio.sleep(0.1)


async def published(server: RunningServer, thread_id: str, after: str, count: int) -> list[str]:
    """Hashes of the thread's first `count` publications in its log, in order, and no event twice."""
    hashes: list[str] = []
    cursors: set[str] = set()
    async with server.subscribed(operations.EVENTS, {"threadId": thread_id, "after": after}) as events:
        while len(hashes) < count:
            event = (await events.next())["threadEvents"]
            assert event["cursor"] not in cursors
            cursors.add(event["cursor"])
            if event["__typename"] == "MessagePublished":
                hashes.append(event["message"]["contentHash"])
    return hashes


@needs_proc
@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("victim", ["server", "chain"])
async def test_kills_lose_nothing(tmp_path: Path, models: Path, victim: str) -> None:
    """Three writers are under way at each kill; what they were promised is there, and what is there is whole."""
    chance = random.Random(victim)
    promised: dict[str, str] = {}
    with running_stack(tmp_path / "data", models) as server:
        ada = await server.actor()
        created = await ada.act("createThread", title="Killed")
        thread_id, start = created["thread"]["threadId"], created["thread"]["eventCursor"]
        for number in range(ROUNDS):
            bodies = [f"Round {number}, writer {writer}." for writer in range(WRITERS)]
            writers = [asyncio.create_task(write(ada, thread_id, body)) for body in bodies]
            await asyncio.sleep(chance.uniform(0.01, 0.4))
            _kill(server, victim, number)
            promised |= dict(done for done in await asyncio.gather(*writers) if done is not None)
            if victim == "server":
                server.start()

            found = await listed(server, thread_id)
            for content_hash, body in promised.items():
                assert found[content_hash]["body"] == body
            for message in found.values():
                assert (message["contentState"], message["status"]) == ("AVAILABLE", "PUBLISHED")
            logged = await published(server, thread_id, start, len(found))
            assert sorted(logged) == sorted(found)
        assert promised
        last = await ada.act("postMessage", threadId=thread_id, body="Still here.")
        found = await listed(server, thread_id)
        assert len(await published(server, thread_id, start, len(found))) == len(found)
        assert last["message"]["contentHash"] in found


def _kill(server: RunningServer, victim: str, number: int) -> None:
    if victim == "server":
        server.kill()
        return
    before = server.log.read_text().count("answers again")
    os.kill(child_of(server.pid), signal.SIGKILL)
    until(lambda: server.log.read_text().count("answers again") > before, "the chain's next start")
    if number % RESTARTS == RESTARTS - 1:
        server.stop()
        server.start()
