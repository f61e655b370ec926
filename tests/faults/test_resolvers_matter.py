"""Each resolver of `reconcile` is needed: a server without it leaves as it is what a server with it heals."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests import operations
from tests.cli.commands import chorale
from tests.faults.qdrant import Points, served_points
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, eventually, open_world
from tests.processes import needs_proc, until
from tests.redis import RunningRedis, running_redis
from tests.stack import Json

_AHEAD = 100  # slots: no reader's own fill takes the place of such an entry while it is looked at
_CONFIRM = """
mutation Confirm($entities: [ShownEntity!]!) {
  confirmUiState(entities: $entities) { ... on ConfirmUiStateSuccess { entities { standing } } }
}"""


@dataclass
class Fault(ABC):
    """Something wrong that one resolver heals, and what still tells of it."""

    world: World
    points: Points
    redis: RunningRedis

    verified = True  # whether a verification has to find it

    @abstractmethod
    async def harm(self) -> None:
        """Make it wrong; again after the server was started anew, where memory has forgotten it."""

    async def is_healed(self, verified: Json) -> bool:
        """Whether a verification that repairs has left nothing of it; `verified` is its report."""
        return bool(verified["exitCode"] == 0)


class WrongRows(Fault):
    """OWNERSHIP: the index says of a message what its account does not."""

    async def harm(self) -> None:
        """Through the file, under the running server."""
        await asyncio.to_thread(self._lie)

    def _lie(self) -> None:
        [file] = (self.world.server.data / "index").glob("index-*.sqlite3")
        with sqlite3.connect(file, timeout=20) as connection:
            connection.execute("UPDATE messages SET submitted_at = 1 WHERE status = 'PUBLISHED'")
        connection.close()


class WrongBytes(Fault):
    """CONTENT: a point's bytes do not match their hash, and nothing keeps searches from it."""

    id: Any = None

    async def harm(self) -> None:
        """In the store."""
        [deed] = [deed for deed in self.world.deeds() if deed.verb == "postMessage"]
        assert deed.content_hash is not None
        self.id = await asyncio.to_thread(self.points.of, deed.content_hash)
        await asyncio.to_thread(self.points.say, self.id, body="These words were never written by their author.")

    async def is_healed(self, verified: Json) -> bool:
        """Quarantined, since nobody here has the bytes."""
        assert [each["cause"] for each in verified["conflicts"]] == ["CONTENT_CORRUPT"], verified
        return bool((await asyncio.to_thread(self.points.payload, self.id))["quarantined_at"])


class WrongEntry(Fault):
    """CACHE: an entry of Redis differs from its account. One that is merely old would be read anew by whoever meets it,
    without a resolver."""

    async def harm(self) -> None:
        """Another content root, in an entry behind the last floor, which is served."""
        account = await self.world.chain.thread(self.world.pairs[0].thread_id)
        assert account is not None
        root = bytes.fromhex(account.content_root)

        async def forged() -> bool:
            await self._read()
            return await asyncio.to_thread(self._forge, root)

        await eventually(forged, "no entry that is served")

    def _forge(self, root: bytes) -> bool:
        """Whether an entry was there to be altered: one that was read in the slot of its last change is not served."""
        found = False
        with Redis.from_url(self.redis.url) as redis:
            for key in self._keys(redis):
                entry, slot = redis.hmget(key, "e", "s")
                found = found or (entry is not None and root[::-1] in entry)  # from before, and still served
                if entry is not None and root in entry:
                    redis.hset(key, mapping={"e": entry.replace(root, root[::-1]), "s": int(slot) + _AHEAD})
                    found = True
        return found

    async def _read(self) -> None:
        thread_id = self.world.pairs[0].thread_id
        for _ in range(2):
            await self.world.server.data_of(operations.READ_THREAD, {"threadId": thread_id})

    def _keys(self, redis: Redis) -> list[bytes]:
        address = self.world.chain.chain.addresses.thread(self.world.pairs[0].thread_id)
        return [key for key in redis.scan_iter(f"*:{address}") if redis.type(key) == b"hash"]


class WrongScreen(Fault):
    """UI: a client shows a version that never was. What it was told is settled where it is told."""

    verified = False

    async def harm(self) -> None:
        """By its own report."""
        owner = self.world.pairs[0].owner
        shown = {"id": f"Thread:{self.world.pairs[0].thread_id}", "version": 1000}
        told = (await owner.ask(_CONFIRM, {"entities": [shown]}))["confirmUiState"]["entities"]
        assert [each["standing"] for each in told] == ["AHEAD"], told

    async def is_healed(self, verified: Json) -> bool:
        """What the server's log says of the newest report."""

        def settled() -> list[str]:
            return [line for line in self.world.server.log.read_text().splitlines() if " UI_AHEAD Thread:" in line]

        await asyncio.to_thread(until, lambda: bool(settled()), "the conflict in the log")
        return "; CLIENT_TOLD: " in settled()[-1]


FAULTS = {"OWNERSHIP": WrongRows, "CONTENT": WrongBytes, "CACHE": WrongEntry, "UI": WrongScreen}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RunningRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder) as running:
        yield running


@needs_proc
@pytest.mark.faults
@pytest.mark.parametrize("kind", FAULTS)
async def test_nothing_else_heals_it(kind: str, tmp_path: Path, models: Path, redis: RunningRedis, seed: int) -> None:
    """Verified with repair: first by a server whose mapping lacks the kind, then by one that has it."""
    options = Options(seed, tmp_path, models, redis=redis)
    with served_points() as points:
        without = ("-m", "tests.faults.doomed", f"without:{kind}")
        async with open_world(
            options,
            ScenarioReport("resolvers", seed),
            launcher=without,
            CHORALE_TEST_ARMED=str(tmp_path / "armed"),
            CHORALE_CONTENT_URL=points.address,
            CHORALE_VERIFY_EVERY="0",
        ) as world:
            await world.settle_down()
            fault = FAULTS[kind](world, points, redis)
            await fault.harm()
            left = await _verified(fault)
            assert not await fault.is_healed(left), left
            world.server.launcher = ("-m", "chorale")
            world.server.stop()
            await world.start()
            await fault.harm()
            healed = await _verified(fault)
            assert await fault.is_healed(healed), healed
            if kind == "CONTENT":
                world.pairs = []  # what the test has forged is quarantined: nobody has the bytes any more


async def _verified(fault: Fault) -> Json:
    data = fault.world.server.data
    _, out, err = await asyncio.to_thread(chorale, "verify", "--repair", "--json", data=data)
    assert out, err
    report: Json = json.loads(out)
    assert report["conflicts"] or not fault.verified, report
    return report
