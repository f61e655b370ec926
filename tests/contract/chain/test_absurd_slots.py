"""A slot that no chain can have reached is garbage, wherever it comes from: believed, it would be a floor for ever."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from chorale.domain.chain import SlotTick
from chorale.domain.errors import AuthorityUnavailableError
from chorale.limits import Limits
from datasources.solana import calls
from datasources.solana.live import live_feed

ABSURD = 2**50
LOGS = {"context": {"slot": ABSURD}, "value": {"signature": "s", "err": None, "logs": []}}


async def _now() -> int:
    return 7


async def _block_time(_slot: int) -> int:
    return 1


ACCOUNT = {"owner": "program", "lamports": 1, "data": ["", "base64"]}
CHANGE = {"context": {"slot": ABSURD}, "value": {"pubkey": "p", "account": ACCOUNT}}
GONE = {"context": {"slot": 8}, "value": {"pubkey": "p", "account": None}}


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("slotNotification", {"slot": ABSURD}),
        ("logsNotification", LOGS),
        ("programNotification", CHANGE),
        ("programNotification", GONE),
    ],
    ids=["tick", "logs", "account", "no account"],
)
async def test_absurd_notifications(method: str, result: Any) -> None:
    """The subscription ends, so that it is made again, and nothing of the message is passed on."""

    async def answer(connection: ServerConnection) -> None:
        for number in (1, 2, 3):
            asked = orjson.loads(await connection.recv())
            await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": number}).decode())
        subscription = ("slotNotification", "programNotification", "logsNotification").index(method) + 1
        told = {"jsonrpc": "2.0", "method": method, "params": {"subscription": subscription, "result": result}}
        await connection.send(orjson.dumps(told).decode())
        await connection.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        feed = live_feed(f"ws://127.0.0.1:{port}", "program", _now, _block_time, accounts=True)
        async with aclosing(feed) as live:
            assert await anext(live) == SlotTick(7)
            with pytest.raises(AuthorityUnavailableError, match="malformed"):
                await anext(live)


async def test_a_node_that_tells_no_accounts_is_followed_all_the_same() -> None:
    """Providers may not offer that subscription; then accounts are read."""

    async def answer(connection: ServerConnection) -> None:
        for _ in range(3):
            asked = orjson.loads(await connection.recv())
            refusal = {"error": {"code": -32601, "message": "Method not found"}}
            said = refusal if asked["method"] == "programSubscribe" else {"result": 1}
            await connection.send(orjson.dumps({"jsonrpc": "2.0", "id": asked["id"], **said}).decode())
        told = {"method": "slotNotification", "params": {"subscription": 1, "result": {"slot": 8}}}
        await connection.send(orjson.dumps(told).decode())
        await connection.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        feed = live_feed(f"ws://127.0.0.1:{port}", "program", _now, _block_time, accounts=True)
        async with aclosing(feed) as live:
            assert [await anext(live), await anext(live)] == [SlotTick(7), SlotTick(8)]


def test_a_slot_that_is_not_reached_is_told_in_time() -> None:
    """A read gives up waiting for its slot before its guard would take the wait for a failure of the node."""
    assert Limits().authority_timeout > calls.MIN_SLOT_WAIT
