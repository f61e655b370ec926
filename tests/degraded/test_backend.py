"""The backend's shared store (Redis) in bad weather: anonymous readers go on, nobody is taken for somebody else."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from redis import Redis

from tests.degraded.cells import cell
from tests.degraded.house import House, statuses
from tests.faults.proxy import Change
from tests.patience import PATIENCE
from tests.stack import Json

pytestmark = pytest.mark.faults


async def _only_anonymous(house: House, before: Json, signed: Json) -> None:
    """Who reads without a session reads on; with one gets an error that names the backend, reading or writing."""
    seen = await house.look()
    assert "errors" not in seen, seen
    assert seen["data"]["thread"]["version"] == before["data"]["thread"]["version"]
    assert house.posted in statuses(seen)
    assert house.pending not in statuses(seen)
    for body in (
        await house.look(house.ben),
        await house.ana.execute(
            "mutation Post($input: PostMessageInput!) { postMessage(input: $input) { __typename } }", {"input": signed}
        ),
    ):
        assert body.get("data") is None, body
        error = body["errors"][0]
        assert error["extensions"] == {"code": "AUTHORITY_UNAVAILABLE", "authority": "BACKEND"}, body
        assert "Try again" in error["message"]


@cell(
    "Backend", "down",
    reader="anonymous: everything; signed in: 503 AUTHORITY_UNAVAILABLE BACKEND, since no session can be checked",
    writer="503 AUTHORITY_UNAVAILABLE BACKEND; nothing is staged or sent",
    end="noticed by a probe, announced; the same sessions go on",
)  # fmt: skip
async def test_backend_down(house: House) -> None:
    """Redis refuses connections, then takes them again."""
    before, signed = await house.look(), await house.sign_post()
    async with house.weather("BACKEND", house.redis.refuse) as noticed:
        await _only_anonymous(house, before, signed)
        await noticed()
        await _only_anonymous(house, before, signed)
    await house.accepted(signed)
    assert house.pending in statuses(await house.look(house.ben))


@cell(
    "Backend", "slow",
    reader="everything, late",
    writer="taken, late; verified",
    end="announced as degraded and as recovered",
)  # fmt: skip
async def test_backend_slow(house: House) -> None:
    """Each chunk of Redis' connections is held back."""
    signed = await house.sign_post()
    async with house.weather("BACKEND", partial(house.redis.delay, 0.3), kind="AUTHORITY_DEGRADED") as noticed:
        await house.stir()
        await noticed()
        assert house.pending in statuses(await house.look(house.ben))
        assert house.posted in statuses(await house.look())
        await house.accepted(signed)


def _junk() -> Change:
    turns = [b"$5\r\nhello\r\n", b":7\r\n", b"*1\r\n$1\r\nx\r\n", b"<html>busy</html>\r\n", b"-WRONGTYPE of value\r\n"]

    def change(_: bytes) -> bytes:
        turns.append(turns.pop(0))
        return turns[0]

    return change


@cell(
    "Backend", "garbage",
    reader="as while it is down: a session that cannot be read is nobody's",
    writer="503 AUTHORITY_UNAVAILABLE BACKEND",
    end="counts as failure, so the circuit opens; a probe closes it, announced",
)  # fmt: skip
async def test_backend_garbage(house: House) -> None:
    """Redis answers other values, other types, errors and HTML, by turns."""
    before, signed = await house.look(), await house.sign_post()
    async with house.weather("BACKEND", partial(house.redis.corrupt, _junk())) as noticed:
        await _only_anonymous(house, before, signed)
        await noticed()
        await _only_anonymous(house, before, signed)
    await house.accepted(signed)


@cell(
    "Backend", "stale",
    reader="what the authorities say, never older than a confirmed write",
    writer="`AuthorityUnavailable` BACKEND until the next probe: it has lost what it had acknowledged",
    end="noticed by a heartbeat that went back, announced; the next probe that it keeps ends it",
)  # fmt: skip
async def test_backend_stale(house: House) -> None:
    """Redis is put back to how it was before a write."""
    signed = await house.sign_post()
    redis = Redis.from_url(house.redis_url)
    async with house.told() as told:
        kept = {key: redis.dump(key) for key in redis.scan_iter()}
        posted = await house.accepted(signed)
        after = await house.look()
        another = await house.sign_post()
        await _beat(redis, kept)
        redis.flushall()
        for key, value in kept.items():
            redis.restore(key, 3_600_000, value)
        detail = await told.until("AUTHORITY_LOST", "BACKEND")
        assert "past" in detail
        await house.refused("BACKEND", another)
        seen = await house.look()
        assert seen["data"]["thread"]["version"] >= after["data"]["thread"]["version"]
        assert posted in statuses(seen)
        await told.until("AUTHORITY_RECOVERED", "BACKEND")
        await house.accepted(another)
    redis.close()


async def _beat(redis: Redis, kept: dict[bytes, bytes]) -> None:
    """Wait for a heartbeat after the copy was made."""
    (beat,) = [key for key in kept if b"heartbeat" in key]
    async with asyncio.timeout(PATIENCE):
        while redis.dump(beat) == kept[beat]:
            await asyncio.sleep(0.1)
