"""A client in bad weather harms itself alone: what it began goes on, and others notice nothing."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64decode
from dataclasses import replace

import pytest
from solders.transaction import VersionedTransaction
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from chorale.limits import Limits
from tests import operations
from tests.degraded.cells import cell
from tests.degraded.house import HAPPENS, POST, UPDATE, House, eventually
from tests.faults.proxy import running_proxy
from tests.graphql.toy import Toy, serve_toy
from tests.patience import PATIENCE
from tests.stack import Json

pytestmark = pytest.mark.faults

PROTOCOL = [Subprotocol("graphql-transport-ws")]
_SMALL = 16 * 1024  # bytes that the slow client's socket takes in
_LARGE = 40_000  # words in one answer, far more than what two sockets hold together
CONFIRM = """
mutation Confirm($entities: [ShownEntity!]!) {
  confirmUiState(entities: $entities) {
    ... on ConfirmUiStateSuccess { entities { id standing version node { ... on Thread { version } } } }
  }
}"""


def _subscribe(name: str, query: str, **variables: object) -> str:
    return json.dumps({"id": name, "type": "subscribe", "payload": {"query": query, "variables": variables}})


@cell(
    "Frontend", "down",
    reader="other subscribers get every event",
    writer="an update that a client began goes on to its end without it; who answers no ping is dropped",
    end="it connects again and resumes behind its last cursor; the same transaction sent again gets the same result",
)  # fmt: skip
async def test_frontend_down(house: House) -> None:
    """A client sends a mutation and its connection is reset; another's cable is pulled."""
    signed = await house.sign_post()
    port = int(house.server.url.rpartition(":")[2])
    async with house.subscribed(house.ben, HAPPENS, {"threadId": house.thread_id}) as events:
        with running_proxy(port) as wire:
            async with connect(f"{wire.ws_url}/graphql", subprotocols=PROTOCOL, proxy=None) as client:
                await client.send(
                    json.dumps({"type": "connection_init", "payload": {"authorization": house.ana.token}})
                )
                await client.recv()
                await client.send(_subscribe("1", POST, input=signed))
                await eventually(lambda: _begun(house, signed), "the update's beginning")
                await asyncio.to_thread(wire.cut)
        event = (await events.next())["threadEvents"]
        posted = event["message"]["contentHash"]
    assert await house.accepted(signed) == posted
    async with serve_toy(replace(Limits(), ws_ping_interval=0.2)) as toy:
        with running_proxy(int(toy.address.rpartition(":")[2])) as wire:
            async with connect(f"{wire.ws_url}/graphql", subprotocols=PROTOCOL, proxy=None) as client:
                await eventually(lambda: _connections(toy, 1), "the connection")
                await asyncio.to_thread(wire.go_silent)
                await eventually(lambda: _connections(toy, 0), "its end")
                client.transport.abort()


async def _connections(toy: Toy, number: int) -> bool:
    return toy.gate.measures.registry.get_sample_value("chorale_open", {"what": "connection"}) == number


async def _begun(house: House, signed: Json) -> bool:
    signature = VersionedTransaction.from_bytes(b64decode(signed["signedTransaction"])).signatures[0]
    return (await house.ana.ask(UPDATE, {"signature": str(signature)}))["stateUpdate"] is not None


@cell(
    "Frontend", "slow",
    reader="its own events wait in the log, not in memory; others get theirs at once; who reads nothing for 10 s is "
    "given up with 1013",
    writer="is not held up by readers",
    end="it connects again and resumes behind its last cursor, without loss or repetition",
)  # fmt: skip
async def test_frontend_slow() -> None:
    """A client asks for more than the connection holds, and does not read."""
    async with serve_toy(replace(Limits(), ws_send_timeout=0.3, ws_ping_interval=60.0)) as toy:
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        narrow.setblocking(False)
        host, port = toy.address.split(":")
        await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
        async with connect(toy.ws, sock=narrow, subprotocols=PROTOCOL, max_queue=1, max_size=None) as slow:
            await slow.send(json.dumps({"type": "connection_init"}))
            await slow.recv()
            for number in range(40):
                await slow.send(_subscribe(str(number), f"{{ hello(count: {_LARGE}) }}"))
            await asyncio.sleep(1.0)  # not reading, for longer than it may
            async with connect(toy.ws, subprotocols=PROTOCOL, proxy=None) as other:
                await other.send(json.dumps({"type": "connection_init"}))
                await other.recv()
                await other.send(_subscribe("1", "{ hello }"))
                assert json.loads(await other.recv())["payload"] == {"data": {"hello": "hello world"}}
            with pytest.raises(ConnectionClosed) as closed:
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await slow.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, "resume" in closed.value.rcvd.reason) == (1013, True)


@cell(
    "Frontend", "garbage",
    reader="other connections go on; a bad operation ends alone, a bad frame closes its connection with 4400",
    writer="a transaction or text that is not what was signed is refused as data; nothing is staged",
    end="it connects again",
)  # fmt: skip
async def test_frontend_garbage(house: House) -> None:
    """Frames that are no messages, and a mutation whose transaction is noise, beside a healthy subscriber."""
    url = house.server.url.replace("http", "ws", 1) + "/graphql"
    async with house.subscribed(house.ben, HAPPENS, {"threadId": house.thread_id}) as events:
        for frame in ('{"type": "subscribe", "id": "a"}', "[" * 2_000, b"\x00\xff"):
            async with connect(url, subprotocols=PROTOCOL, proxy=None) as client:
                await client.send(json.dumps({"type": "connection_init"}))
                await client.recv()
                await client.send(frame)
                with pytest.raises(ConnectionClosed) as closed:
                    await client.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4400
        signed = await house.sign_post()
        for noise in ({"signedTransaction": "AAAA"}, {"body": "Another text."}):
            answer = await house.try_post(signed | noise)
            assert answer["__typename"] in ("TransactionInvalid", "ContentMismatch"), answer
        posted = await house.accepted(signed)
        assert (await events.next())["threadEvents"]["message"]["contentHash"] == posted


@cell(
    "Frontend", "stale",
    reader="`confirmUiState` says of each entity whether it is current, behind or ahead, with what there is now; "
    "`minVersion` reads one's own writes or says VERSION_NOT_REACHED",
    writer="what is no longer allowed is refused as data, before a wallet signs",
    end="it takes the node that came along",
)  # fmt: skip
async def test_frontend_stale(house: House) -> None:
    """A client shows a version that has passed, and one that never was."""
    thread = (await house.ana.ask(operations.READ_THREAD, {"threadId": house.thread_id}))["thread"]
    await house.accepted(await house.sign_post())
    now = thread["version"] + 1
    shown = [{"id": thread["id"], "version": version} for version in (now - 1, now, now + 5)]
    told = [(await house.ana.ask(CONFIRM, {"entities": [entity]}))["confirmUiState"]["entities"][0] for entity in shown]
    assert [entity["standing"] for entity in told] == ["BEHIND", "CURRENT", "AHEAD"]
    assert [entity["node"] for entity in told] == [{"version": now}, None, {"version": now}]
    body = await house.ana.execute(operations.READ_THREAD, {"threadId": house.thread_id, "minVersion": now + 5})
    assert body["errors"][0]["extensions"]["code"] == "VERSION_NOT_REACHED"
    refused = await house.ana.prepare("cancelMessage", contentHash=house.posted)
    assert refused["__typename"] != "PreparedTransaction"
