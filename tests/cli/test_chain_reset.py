"""Where the chain behind its address is replaced, the server opens again on the new one, by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.chains import PROGRAM_SO
from tests.patience import PATIENCE
from tests.replaceable import replaceable_chain
from tests.stack import RunningServer, running_stack, unique

_EVENTS = """
subscription Events($threadId: Hash!) {
  threadEvents(threadId: $threadId) { __typename ... on Gap { reason } }
}
"""
_THREAD = "query Thread($threadId: Hash!) { thread(threadId: $threadId) { threadId } }"
_THREADS = "query Threads { threads(first: 5) { nodes { threadId } } }"


async def threads_once_open(server: RunningServer) -> list[str]:
    """Thread ids, once the server has opened on a chain without the old ones; meanwhile it says what is the matter."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                body = await server.execute(_THREADS)
            except (httpx.HTTPError, ValueError):
                body = {}
            if "data" in body and body["data"] and not body["data"]["threads"]["nodes"]:
                return []
            for error in body.get("errors", ()):
                assert error["extensions"]["code"] == "AUTHORITY_UNAVAILABLE", error
            await asyncio.sleep(0.1)


async def test_the_server_converges_on_another_chain(tmp_path: Path, models: Path) -> None:
    """Subscribers hear of the reset, old threads are gone, and a mutation on the new chain is verified."""
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    with replaceable_chain(tmp_path / "chain") as chain:
        running = chain.start()
        with running_stack(tmp_path / "data", models, running) as server:
            before = await server.actor()
            thread_id = await before.create_thread(unique("Before"))
            await before.act("postMessage", threadId=thread_id, body=unique("Old text"))
            async with server.subscribed(_EVENTS, {"threadId": thread_id}) as events:
                await before.act("postMessage", threadId=thread_id, body=unique("Old text"))
                heard = [(await events.next())["threadEvents"]]
                chain.kill()
                chain.forget()
                chain.start()
                while heard[-1]["__typename"] != "Gap":
                    heard.append((await events.next())["threadEvents"])
                assert heard[-1]["reason"] == "CHAIN_RESET"
            assert await threads_once_open(server) == []
            after = await server.actor()
            new_id = await after.create_thread(unique("After"))
            payload = await after.act("postMessage", threadId=new_id, body=unique("New text"))
            assert payload["update"]["outcome"] == "VERIFIED"
            body = await server.execute(_THREAD, {"threadId": thread_id})
            assert body["data"]["thread"] is None
            assert server.stop() == 0
            assert "serves another chain" in server.log.read_text()
