"""graphql-transport-ws by the book: wrong messages close with their code, one bad operation never harms another."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from chorale.auth import Viewer
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from chorale.limits import Limits
from tests.graphql.toy import ALICE, Toy, serve_toy
from tests.patience import PATIENCE

LIMITS = replace(Limits(), ws_message_bytes=4000, ws_operations_per_connection=3, ws_init_timeout=5)
PROTOCOL = [Subprotocol("graphql-transport-ws")]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def toy() -> AsyncIterator[Toy]:
    async with serve_toy(LIMITS) as running:
        yield running


@asynccontextmanager
async def opened(toy: Toy, payload: dict[str, Any] | None = None) -> AsyncIterator[ClientConnection]:
    """An acknowledged connection."""
    async with connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as socket:
        await send(socket, {"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        assert await receive(socket) == {"type": "connection_ack"}
        yield socket


async def send(socket: ClientConnection, message: object) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes."""
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await asyncio.wait_for(socket.recv(), 5)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


def subscribe(name: object, query: str, **more: object) -> dict[str, object]:
    return {"id": name, "type": "subscribe", "payload": {"query": query, **more}}


async def test_one_socket_runs_every_kind_of_operation(toy: Toy) -> None:
    """Queries and mutations come as one `next`, subscriptions as many; `extensions` may come along."""
    async with opened(toy) as socket:
        await send(socket, subscribe("q", "{hello}", extensions={"trace": {"id": 1}}))
        assert await receive(socket) == {"id": "q", "type": "next", "payload": {"data": {"hello": "hello world"}}}
        assert await receive(socket) == {"id": "q", "type": "complete"}
        await send(socket, subscribe("m", "mutation {touch}"))
        assert (await receive(socket))["payload"] == {"data": {"touch": 1}}
        assert (await receive(socket))["type"] == "complete"
        await send(socket, subscribe("s", "subscription {count(to: 3)}", extensions={"a": 1}))
        counted = [(await receive(socket))["payload"]["data"]["count"] for _ in range(3)]
        assert counted == [1, 2, 3]
        assert await receive(socket) == {"id": "s", "type": "complete"}
        await send(socket, {"type": "ping", "payload": {"a": 1}})
        assert await receive(socket) == {"type": "pong", "payload": {"a": 1}}
        await send(socket, {"type": "pong"})


@pytest.mark.parametrize(
    "text",
    [
        "null",
        '"x"',
        "1",
        "[]",
        "{",
        "[" * 2000,
        "[" * 1900 + "]" * 1900,
        "{}",
        '{"type": 1}',
        '{"type": "unknown"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "a"}',
        '{"type": "subscribe", "id": "a", "payload": null}',
        '{"type": "subscribe", "id": "a", "payload": "x"}',
        '{"type": "subscribe", "id": "a", "payload": {}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": 1}}',
        '{"type": "subscribe", "id": "a", "payload": {"query": "{hello}", "variables": []}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{hello}"}}',
        '{"type": "subscribe", "id": ["a"], "payload": {"query": "{hello}"}}',
        '{"type": "subscribe", "id": {}, "payload": {"query": "{hello}"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{hello}"}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": null}',
        '{"type": "ping", "payload": null}',
        '{"type": "ping", "payload": 1}',
    ],
)
async def test_malformed_messages_close_with_4400(toy: Toy, text: str) -> None:
    """Whatever is wrong with it, the code is the same and the reason says what."""
    async with opened(toy) as socket:
        await socket.send(text)
        code, reason = await closed(socket)
        assert (code, bool(reason)) == (4400, True)


@pytest.mark.parametrize("payload", ["null", "1", '"x"', "[]", '{"authorization": 1}'])
async def test_malformed_initialisation_closes_with_4400(toy: Toy, payload: str) -> None:
    """A payload is an object and a token a string."""
    async with connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as socket:
        await socket.send(f'{{"type": "connection_init", "payload": {payload}}}')
        assert (await closed(socket))[0] == 4400


async def test_binary_and_oversized_messages_close(toy: Toy) -> None:
    """Text only, and not too much of it."""
    async with opened(toy) as socket:
        await socket.send(b"{}")
        assert (await closed(socket))[0] == 4400
    async with opened(toy) as socket:
        await send(socket, subscribe("a", "{hello}" + " " * 5000))
        assert (await closed(socket))[0] == 1009


async def test_codes_of_the_protocol(toy: Toy) -> None:
    """4401 before the acknowledgement, 4429 for a second init, 4409 for an id in use, 4406 for another protocol."""
    async with connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as socket:
        await send(socket, subscribe("a", "{hello}"))
        assert await closed(socket) == (4401, "Unauthorized")
    async with opened(toy) as socket:
        await send(socket, {"type": "connection_init"})
        assert await closed(socket) == (4429, "Too many initialisation requests")
    async with opened(toy) as socket:
        await send(socket, subscribe("a", "subscription {forever}"))
        await receive(socket)
        await send(socket, subscribe("a", "{hello}"))
        assert await closed(socket) == (4409, "Subscriber for a already exists")
    for protocols in ([Subprotocol("graphql-ws")], None):
        async with connect(toy.ws, subprotocols=protocols, proxy=None) as socket:
            assert (await closed(socket))[0] == 4406


async def test_silence_before_initialisation_closes_with_4408() -> None:
    """A connection that says nothing is not kept."""
    async with (
        serve_toy(replace(LIMITS, ws_init_timeout=0.05)) as toy,
        connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as socket,
    ):
        assert await closed(socket) == (4408, "Connection initialisation timeout")


async def test_a_bad_operation_leaves_its_siblings_alone(toy: Toy) -> None:
    """Syntax, validation and variables give an `error` message for that operation, and its id is free again."""
    async with opened(toy) as socket:
        await send(socket, subscribe("s", "subscription {forever}"))
        assert (await receive(socket))["id"] == "s"
        for query, code in (
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{nope}", "GRAPHQL_VALIDATION_FAILED"),
            ("query($n: Int!) {hello(count: $n)}", "GRAPHQL_VALIDATION_FAILED"),
            ("subscription($n: Int!) {count(to: $n)}", "GRAPHQL_VALIDATION_FAILED"),
            ("query A {hello} query B {hello}", "GRAPHQL_VALIDATION_FAILED"),
            ("fragment F on Query {hello}", "GRAPHQL_VALIDATION_FAILED"),
        ):
            await send(socket, subscribe("bad", query))
            message = await receive(socket)
            assert (message["id"], message["type"]) == ("bad", "error")
            assert message["payload"][0]["extensions"]["code"] == code
        await send(socket, subscribe("bad", "{hello}"))
        assert (await receive(socket))["type"] == "next"
        assert (await receive(socket))["type"] == "complete"


async def test_faults_are_masked(toy: Toy) -> None:
    """No internals in a result, nor when a stream breaks."""
    async with opened(toy) as socket:
        await send(socket, subscribe("q", "{broken}"))
        answer = await receive(socket)
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "swordfish" not in json.dumps(answer)
        await receive(socket)
        await send(socket, subscribe("s", "subscription {fails}"))
        await receive(socket)
        broken = await receive(socket)
        assert "swordfish" not in json.dumps(broken)
        assert "INTERNAL" in json.dumps(broken)


async def test_operations_are_capped_and_freed_by_complete(toy: Toy) -> None:
    """The one too many gets an error; completing one makes room."""
    async with opened(toy) as socket:
        for name in "abc":
            await send(socket, subscribe(name, "subscription {forever}"))
            await receive(socket)
        await send(socket, subscribe("d", "{hello}"))
        refused = await receive(socket)
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        await send(socket, {"type": "complete", "id": "a"})
        await send(socket, {"type": "complete", "id": "unknown"})
        await send(socket, subscribe("a", "{hello}"))
        assert (await receive(socket))["type"] == "next"


async def test_token_comes_with_the_initialisation(toy: Toy) -> None:
    """With or without Bearer; a wrong one closes with 4403, none is anonymous."""
    for payload, viewer in (
        ({"authorization": "Bearer good"}, ALICE),
        ({"authorization": "good"}, ALICE),
        ({"authorization": None}, None),
        ({}, None),
    ):
        async with opened(toy, payload) as socket:
            await send(socket, subscribe("a", "{viewer}"))
            assert (await receive(socket))["payload"]["data"]["viewer"] == viewer
    async with connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as socket:
        await send(socket, {"type": "connection_init", "payload": {"authorization": "Bearer bad"}})
        assert await closed(socket) == (4403, "Forbidden")


async def test_connection_ends_with_its_session() -> None:
    """At expiry, and soon after a sign-out, the connection closes with 4403, subscriptions included."""
    async with serve_toy(replace(LIMITS, ws_ping_interval=0.05)) as toy:
        toy.gate.sessions["short"] = time.time() + 0.3
        async with opened(toy, {"authorization": "Bearer short"}) as socket:
            await send(socket, subscribe("a", "subscription {forever}"))
            assert await closed(socket) == (4403, "The session has ended")
        async with opened(toy, {"authorization": "Bearer good"}) as socket:
            del toy.gate.sessions["good"]
            await send(socket, subscribe("a", "{viewer}"))
            assert await closed(socket) == (4403, "The session has ended")


async def test_connection_ends_with_its_session_while_nobody_confirms_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the session store away, a connection closes once the time that it knows is up."""

    async def away(token: str) -> Viewer | None:
        raise AuthorityUnavailableError(Authority.BACKEND)

    async with serve_toy(replace(LIMITS, ws_ping_interval=0.05)) as toy:
        toy.gate.sessions["short"] = time.time() + 0.3
        async with opened(toy, {"authorization": "Bearer short"}) as socket:
            monkeypatch.setattr(toy.gate, "admit", away)
            assert await closed(socket) == (4403, "The session has ended")


async def test_every_operation_has_its_own_context(toy: Toy) -> None:
    """One connection, many contexts."""
    async with opened(toy) as socket:
        numbers = []
        for name in "ab":
            await send(socket, subscribe(name, "{contextNumber}"))
            numbers.append((await receive(socket))["payload"]["data"]["contextNumber"])
            await receive(socket)
        assert numbers[0] != numbers[1]


async def test_pages_of_other_hosts_are_refused(toy: Toy) -> None:
    """The handshake of a foreign page is answered with 403; a page of this host may use any port."""
    async with connect(toy.ws, subprotocols=PROTOCOL, origin=Origin("http://127.0.0.1:5173"), proxy=None):
        pass
    for origin in ("https://evil.example", "null", "http://[::1"):
        with pytest.raises(InvalidStatus) as caught:
            async with connect(toy.ws, subprotocols=PROTOCOL, origin=Origin(origin), proxy=None):
                pass
        assert caught.value.response.status_code == 403


async def test_a_dead_peer_is_dropped() -> None:
    """A peer that answers no ping loses its connection."""
    async with serve_toy(replace(LIMITS, ws_ping_interval=0.1)) as toy:
        host, port = toy.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /graphql HTTP/1.1\r\nHost: {toy.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        heard = await asyncio.wait_for(reader.read(-1), PATIENCE)
        assert b"\x89" in heard
        writer.close()
