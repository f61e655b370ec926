"""follow: from a change on chain to a subscriber, at 25, 100 and 200 a second, beside PubSub of the same RPC alone."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from contextlib import AsyncExitStack
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.chain_load import Author, an_author
from bench.http import connect as connect_http
from bench.people import Demo
from bench.report import figure, percentile, table
from bench.serving import Running, scratch, serving
from tests.chains import RunningChain, request, running_localnet, signature_of

RATES = (25, 100, 200)  # changes per second
SECONDS = 5
WARM_UP = 1
THREADS = 20
_SENDERS = 8
_PATIENCE = 60.0
_OPTIONS = {"encoding": "base64", "skipPreflight": True}
_EVENTS = "subscription Events($id: Hash!) { threadEvents(threadId: $id) { signature } }"


async def run(_demo: Demo) -> str:
    """The table."""
    with scratch() as folder:
        (folder / "chain").mkdir()
        with running_localnet(folder / "chain") as chain:
            author = await an_author(chain, THREADS)
            settings = {
                "CHAIN_URL": chain.rpc_url, "CHAIN_WS_URL": chain.ws_url, "PROGRAM_ID": chain.program_id,
            }  # fmt: skip
            async with serving(folder / "data", further=settings) as server:
                return "\n\n".join([await _measured(author, chain, server, rate) for rate in RATES])


async def _measured(author: Author, chain: RunningChain, server: Running, rate: int) -> str:
    transactions = await author.posts(rate * (WARM_UP + SECONDS), author.threads)
    sent: dict[str, float] = {}
    raw: dict[str, float] = {}
    ours: dict[str, float] = {}
    expected = {signature_of(one) for one in transactions}
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(_raw(chain))]
        tasks = [asyncio.create_task(_listen_raw(sockets[0], chain, raw, expected))]
        for thread_id in author.threads:
            socket = await stack.enter_async_context(_graphql(server))
            await _subscribe(socket, thread_id)
            tasks.append(asyncio.create_task(_listen(socket, ours, expected)))
        await _warm(tasks)
        try:
            await _send(chain, transactions, sent, rate)
            deadline = time.monotonic() + _PATIENCE
            while (len(ours) < len(expected) or len(raw) < len(expected)) and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    measured = [signature_of(one) for one in transactions[rate * WARM_UP :]]
    missing = [signature for signature in measured if signature not in ours or signature not in raw]
    if missing:
        by = f"{sum(one not in raw for one in missing)} by raw PubSub, {sum(one not in ours for one in missing)} here"
        raise RuntimeError(f"{len(missing)} of {len(measured)} changes were not heard of in {_PATIENCE:.0f} s: {by}.")
    took = {
        "raw logsSubscribe": [(raw[one] - sent[one]) * 1e3 for one in measured],
        "threadEvents over graphql-transport-ws": [(ours[one] - sent[one]) * 1e3 for one in measured],
    }
    limit = took["raw logsSubscribe"]
    made = len(measured) / (sent[measured[-1]] - sent[measured[0]])
    rows = [
        (
            name, figure(percentile(times, 0.5)), figure(percentile(times, 0.99)),
            figure(percentile(times, 0.5) / percentile(limit, 0.5)),
            figure(percentile(times, 0.99) / percentile(limit, 0.99)),
        )
        for name, times in took.items()
    ]  # fmt: skip
    return table((f"{figure(made)} changes/s, {THREADS} threads", "p50 ms", "p99 ms", "p50 to raw", "p99 to raw"), rows)


async def _send(chain: RunningChain, transactions: list[bytes], sent: dict[str, float], rate: int) -> None:
    """One after the other at the rate, whatever the answers take."""
    due: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()

    async def send() -> None:
        async with connect_http(chain.rpc_url) as http:
            while (item := await due.get()) is not None:
                signature, body = item
                sent[signature] = time.perf_counter()
                answer = orjson.loads(await http.exchange(http.request(body)))
                if "error" in answer:
                    raise RuntimeError(str(answer["error"]))

    made = [
        (signature_of(one), orjson.dumps(request("sendTransaction", [b64encode(one).decode(), _OPTIONS])))
        for one in transactions
    ]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_SENDERS):
            tasks.create_task(send())
        begun = time.perf_counter()
        for number, each in enumerate(made):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            due.put_nowait(each)
        for _ in range(_SENDERS):
            due.put_nowait(None)


def _raw(chain: RunningChain) -> connect:
    return connect(chain.ws_url, proxy=None, max_size=2**24)


def _graphql(server: Running) -> connect:
    url = server.url.replace("http", "ws", 1)
    return connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None)


async def _listen_raw(
    socket: ClientConnection, chain: RunningChain, heard: dict[str, float], expected: set[str]
) -> None:
    await socket.send(
        json.dumps(request("logsSubscribe", [{"mentions": [chain.program_id]}, {"commitment": "confirmed"}]))
    )
    async for message in socket:
        now = time.perf_counter()
        told: dict[str, Any] = orjson.loads(message)
        if told.get("method") == "logsNotification":
            signature = told["params"]["result"]["value"]["signature"]
            if signature in expected:
                heard.setdefault(signature, now)


async def _subscribe(socket: ClientConnection, thread_id: str) -> None:
    await socket.send(json.dumps({"type": "connection_init"}))
    await socket.recv()
    payload = {"query": _EVENTS, "variables": {"id": thread_id}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


async def _listen(socket: ClientConnection, heard: dict[str, float], expected: set[str]) -> None:
    async for message in socket:
        now = time.perf_counter()
        told: dict[str, Any] = orjson.loads(message)
        if told["type"] == "ping":
            await socket.send(json.dumps({"type": "pong"}))
        elif told["type"] == "next":
            signature = told["payload"]["data"]["threadEvents"]["signature"]
            if signature in expected:
                heard.setdefault(signature, now)


async def _warm(tasks: list[asyncio.Task[None]]) -> None:
    """Let the subscriptions stand before anything is sent."""
    await asyncio.wait(tasks, timeout=1.0)
