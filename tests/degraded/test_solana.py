"""Solana in bad weather: known state is read and marked, nothing is written, and it comes back by itself."""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode
from functools import partial

import pytest

from tests.degraded.cells import cell
from tests.degraded.house import BALANCE, HAPPENS, House, eventually, statuses
from tests.stack import Json

STRANGER = "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin"


async def _marked(house: House) -> Json:
    """Ben's look once its answer says that it is stale."""
    found: Json = {}

    async def is_marked() -> bool:
        nonlocal found
        found = await house.look(house.ben)
        return "stale" in found.get("extensions", {})

    await eventually(is_marked, "a stale mark")
    return found


async def _keeps_reading(house: House, before: Json) -> None:
    """Known state is shown, as it was and marked; what is hidden stays so."""
    marked = await _marked(house)
    assert "errors" not in marked, marked
    stale = marked["extensions"]["stale"]
    assert stale["authority"] == "SOLANA"
    assert stale["ageSeconds"] >= 0
    thread = marked["data"]["thread"]
    assert thread["version"] == before["data"]["thread"]["version"]
    assert statuses(marked) == statuses(before)
    assert {node["contentState"] for node in thread["messages"]["nodes"]} == {"AVAILABLE"}
    hidden = await house.look(house.eve)
    assert house.pending not in statuses(hidden)
    assert house.posted in statuses(hidden)


async def _unknown_is_null(house: House) -> None:
    """What was never read is null with an error that names Solana."""
    body = await house.server.execute(BALANCE, {"address": STRANGER})
    assert body["errors"][0]["extensions"] == {"code": "AUTHORITY_UNAVAILABLE", "authority": "SOLANA"}, body


@cell(
    "Solana", "down",
    reader="what is known, marked `extensions.stale`; what is not known is null with AUTHORITY_UNAVAILABLE; "
    "visibility as last known",
    writer="`AuthorityUnavailable` SOLANA before anything is staged, from `prepare` too",
    end="noticed by a probe, announced; the same signed transaction is taken; subscriptions resume",
)  # fmt: skip
async def test_solana_down(house: House) -> None:
    """RPC and PubSub refuse connections, then take them again."""
    before, signed = await house.look(house.ben), await house.sign_post()
    async with house.subscribed(house.ben, HAPPENS, {"threadId": house.thread_id}) as events:
        async with house.weather("SOLANA", house.rpc.refuse, house.pubsub.refuse) as noticed:
            await _keeps_reading(house, before)
            await _unknown_is_null(house)
            await noticed()
            await house.refused("SOLANA", signed)
        posted = await house.accepted(signed)
        event = (await events.next())["threadEvents"]
        assert event["message"]["contentHash"] == posted
    after = await house.look(house.ben)
    assert "stale" not in after.get("extensions", {})
    assert posted in statuses(after)


@cell(
    "Solana", "slow",
    reader="current answers, late; unmarked",
    writer="taken, late; confirmed and verified",
    end="announced as degraded and as recovered",
)  # fmt: skip
async def test_solana_slow(house: House) -> None:
    """Each chunk of the RPC's connection is held back: more than half a second for a call, less than its time."""
    signed = await house.sign_post()
    async with house.weather("SOLANA", partial(house.rpc.delay, 0.3), kind="AUTHORITY_DEGRADED") as noticed:
        await house.stir()
        await noticed()
        await house.taken(signed)
        seen = await house.look(house.ben)
        assert "errors" not in seen
        assert "stale" not in seen.get("extensions", {})


def _page(chunk: bytes) -> bytes:
    return _response(b"<html><body>502 Bad Gateway</body></html>") if chunk.startswith(b"HTTP/1.1") else chunk


def _cut(chunk: bytes) -> bytes:
    head, _, body = chunk.partition(b"\r\n\r\n")
    return _response(body[: len(body) // 2]) if head.startswith(b"HTTP/1.1") else chunk


def _absurd(chunk: bytes) -> bytes:
    body = b'{"jsonrpc":"2.0","id":1,"result":{"context":{"slot":-1},"value":"yes"}}'
    return _response(body) if chunk.startswith(b"HTTP/1.1") else chunk


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


@cell(
    "Solana", "garbage",
    reader="as while it is down: known state, marked; never the garbage",
    writer="`AuthorityUnavailable` SOLANA",
    end="counts as failure, so the circuit opens; a probe closes it, announced",
)  # fmt: skip
async def test_solana_garbage(house: House) -> None:
    """A page of HTML, JSON that is cut, values of wrong types and noise, by turns, from RPC and PubSub."""
    before, signed = await house.look(house.ben), await house.sign_post()
    turns = [_page, _cut, _absurd]

    def change(chunk: bytes) -> bytes:
        turns.append(turns.pop(0))
        return turns[0](chunk)

    async with house.weather("SOLANA", partial(house.rpc.corrupt, change), house.pubsub.corrupt) as noticed:
        await house.stir()
        await noticed()
        await _keeps_reading(house, before)
        await house.refused("SOLANA", signed)
    await house.accepted(signed)


def _earlier(chunk: bytes) -> bytes:
    """Every slot in an answer a thousand lower and as long as it was, since head and body may come one by one."""

    def lower(found: re.Match[bytes]) -> bytes:
        slot = b"%d" % (int(found[2]) - 1_000)
        return found[1] + slot if len(slot) == len(found[2]) else found[0]

    return re.sub(rb'("slot":|"result":)(\d{4,})\b', lower, chunk)


@cell(
    "Solana", "stale",
    reader="answers, marked `extensions.stale` without a slot of their own",
    writer="`AuthorityUnavailable` SOLANA: it lives in the past",
    end="current again at the first probe that shows its slots moving where they were, announced",
)  # fmt: skip
async def test_solana_stale(house: House) -> None:
    """The node's slots fall back behind what the server has seen."""
    signed = await house.sign_post()
    await house.server.chain.rpc("chorale_advanceSlots", {"slots": 2_000})
    signed = await house.sign_post()
    async with house.weather("SOLANA", partial(house.rpc.corrupt, _earlier)) as noticed:
        assert "past" in await noticed()
        marked = await house.look(house.ben)
        assert marked["extensions"]["stale"]["authority"] == "SOLANA"
        await house.refused("SOLANA", signed)
    await house.accepted(signed)


def _ahead(chunk: bytes) -> bytes:
    """Each context slot, in answers and in notifications, with a 9 in front; as long as it was."""
    return re.sub(rb'("slot":)\d(\d{3,})', rb"\g<1>9\2", chunk)


async def test_a_wrong_slot_leaves_nothing_behind(house: House) -> None:
    """A node tells of slots that the chain will reach in hours: reads are never held to them, during or afterwards."""
    await house.server.chain.rpc("chorale_advanceSlots", {"slots": 20_000})  # a leap that is real, and believed
    before = await house.look(house.ben)
    signed = [await house.sign_post() for _ in range(2)]
    wrong = [partial(proxy.corrupt, _ahead) for proxy in (house.rpc, house.pubsub)]
    async with house.weather("SOLANA", *wrong) as noticed:
        sent = [house.server.chain.send_raw(b64decode(each["signedTransaction"])) for each in signed]
        await asyncio.gather(*sent)  # past the server, which hears of it by the wrong slots alone
        await house.stir()
        await noticed()
        await _keeps_reading(house, before)
    version = before["data"]["thread"]["version"] + len(signed)

    async def has_both() -> bool:
        """Its context slots alone are wrong, so that probes may have found it well in between, for a moment."""
        seen = await house.look(house.ben)
        if "errors" in seen or "stale" in seen.get("extensions", {}):
            return False
        return bool(seen["data"]["thread"]["version"] == version)

    await eventually(has_both, "both posts, unmarked")
    await house.accepted(await house.sign_post())


pytestmark = pytest.mark.faults
