"""Qdrant in bad weather: everything but the bytes is read, nothing is written, and it comes back by itself."""

from __future__ import annotations

from functools import partial

import pytest
from qdrant_client import models

from tests import operations
from tests.degraded.cells import cell
from tests.degraded.house import SEARCH, House, statuses
from tests.faults.proxy import Change
from tests.stack import Json

pytestmark = pytest.mark.faults


async def _without_bytes(house: House, before: Json) -> None:
    """Threads and messages are whole but for their texts; search is an error of its field alone."""
    seen = await house.look(house.ben)
    assert "errors" not in seen, seen
    assert "stale" not in seen.get("extensions", {})
    thread = seen["data"]["thread"]
    assert thread["title"] is None
    assert thread["version"] == before["data"]["thread"]["version"]
    assert statuses(seen) == statuses(before)
    assert {(node["body"], node["contentState"]) for node in thread["messages"]["nodes"]} == {(None, "UNAVAILABLE")}
    assert house.pending not in statuses(await house.look(house.eve))
    both = f"query Both($query: String!) {{ __typename {SEARCH[SEARCH.index('{') + 1 :]}"
    found = await house.server.execute(both, {"query": "bridge"})
    assert found["data"] == {"__typename": "Query", "search": None}, found
    assert found["errors"][0]["path"] == ["search"]
    assert found["errors"][0]["extensions"] == {"code": "AUTHORITY_UNAVAILABLE", "authority": "QDRANT"}


async def _staged(house: House) -> int:
    """How many texts wait for their transactions, in the store itself."""
    name = house.content.get_collections().collections[0].name
    waiting = models.Filter(must=[models.FieldCondition(key="status", match=models.MatchValue(value="STAGED"))])
    return house.content.count(name, waiting).count


@cell(
    "Qdrant", "down",
    reader="threads, messages and lists whole, their texts null and `contentState` UNAVAILABLE; `search` is null with "
    "AUTHORITY_UNAVAILABLE",
    writer="`AuthorityUnavailable` QDRANT before anything is staged or sent, from `prepare` too",
    end="noticed by a probe, announced; the same signed transaction is taken",
)  # fmt: skip
async def test_qdrant_down(house: House) -> None:
    """It refuses connections, then takes them again."""
    before, signed, staged = await house.look(house.ben), await house.sign_post(), await _staged(house)
    async with house.weather("QDRANT", house.qdrant.refuse) as noticed:
        await _without_bytes(house, before)
        await noticed()
        await _without_bytes(house, before)
        await house.refused("QDRANT", signed)
        assert await _staged(house) == staged
    await house.accepted(signed)
    found = await house.server.data_of(operations.SEARCH, {"query": "bridge", "mode": "TEXT"})
    assert house.posted in {node["contentHash"] for node in found["search"]["nodes"]}


@cell(
    "Qdrant", "slow",
    reader="everything, late",
    writer="taken, late; verified",
    end="announced as degraded and as recovered",
)  # fmt: skip
async def test_qdrant_slow(house: House) -> None:
    """Each chunk of its connections is held back."""
    before, signed = await house.look(house.ben), await house.sign_post()
    async with house.weather("QDRANT", partial(house.qdrant.delay, 0.3), kind="AUTHORITY_DEGRADED") as noticed:
        await house.stir()
        await noticed()
        seen = await house.look(house.ben)
        assert (seen["data"]["thread"]["title"], statuses(seen)) == ("Weather", statuses(before))
        await house.taken(signed)


def _junk(turns: list[bytes]) -> Change:
    def change(chunk: bytes) -> bytes:
        turns.append(turns.pop(0))
        body = turns[0]
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        return head + body if chunk.startswith(b"HTTP/1.1") else chunk

    return change


@cell(
    "Qdrant", "garbage",
    reader="as while it is down: no text rather than a wrong one",
    writer="`AuthorityUnavailable` QDRANT",
    end="counts as failure, so the circuit opens; a probe closes it, announced",
)  # fmt: skip
async def test_qdrant_garbage(house: House) -> None:
    """HTML, JSON that is cut, and results of other types, by turns."""
    before, signed, staged = await house.look(house.ben), await house.sign_post(), await _staged(house)
    junk = [
        b"<html>busy</html>",
        b'{"result": [{"id": ',
        b'{"result": {"points": 7}, "status": "ok", "time": 0}',
        b"[]",
    ]
    async with house.weather("QDRANT", partial(house.qdrant.corrupt, _junk(junk))) as noticed:
        await house.stir()
        await noticed()
        await _without_bytes(house, before)
        await house.refused("QDRANT", signed)
        assert await _staged(house) == staged
    await house.accepted(signed)


@cell(
    "Qdrant", "stale",
    reader="what it has; texts that it lost are MISSING, nothing is made up",
    writer="`AuthorityUnavailable` QDRANT: it lives in the past",
    end="current again once it shows what it had stored (announced); what it does not show within 10 s is lost, "
    "becomes a conflict, and `restoreContent` brings it back",
)  # fmt: skip
async def test_qdrant_stale(house: House) -> None:
    """It is put back to before some writes that it had acknowledged, and forward again."""
    texts = [await house.accepted(await house.sign_post()) for _ in range(4)]
    signed = await house.sign_post()
    client = house.content
    name = client.get_collections().collections[0].name
    lost = models.Filter(must=[models.FieldCondition(key="hash", match=models.MatchAny(any=texts))])
    async with house.told() as told:
        points, _ = client.scroll(name, lost, limit=10, with_vectors=True)
        assert len(points) == 4
        client.delete(name, lost)
        detail = await told.until("AUTHORITY_LOST", "QDRANT")
        assert "past" in detail
        nodes = (await house.look())["data"]["thread"]["messages"]["nodes"]
        states = {node["contentHash"]: (node["body"], node["contentState"]) for node in nodes}
        assert {states[text] for text in texts} == {(None, "MISSING")}
        await house.refused("QDRANT", signed)
        client.upsert(name, [models.PointStruct(id=p.id, payload=p.payload, vector=p.vector or {}) for p in points])
        await told.until("AUTHORITY_RECOVERED", "QDRANT")
        texts.append(await house.accepted(signed))
        nodes = (await house.look())["data"]["thread"]["messages"]["nodes"]
        states = {node["contentHash"]: (node["body"] is None, node["contentState"]) for node in nodes}
        assert {states[text] for text in texts} == {(False, "AVAILABLE")}
