"""A read after an acknowledged write is never older than the write, on whichever replica, while many write and read.

Two servers share one chain and one Redis; or one server has its cache in memory. All the while readers fill the cache
on every server, so that each write meets fills that began before it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbits, token_hex
from typing import Any

import httpx

from programs import identity, instructions
from tests.chains import RunningChain
from tests.faults.proxy import Proxy
from tests.operations import MUTATE, PREPARE
from tests.redis import running_redis
from tests.stack import Actor, RunningServer, running_stack, unique

READ = """query ($t: Hash!) { thread(threadId: $t) { version messageCount
  messages(last: 3) { nodes { contentHash status version } } } }"""
READ_MESSAGE = "query ($h: Hash!) { message(contentHash: $h) { status version } }"
EVENTS = "subscription ($t: Hash!) { threadEvents(threadId: $t) { __typename version } }"
SECONDS = 8.0
WRITERS = 3
THREADS = 2  # per writer


@dataclass
class Replicas:
    """Servers that answer for the same chain, and a client to read at each."""

    servers: list[RunningServer]
    readers: list[httpx.AsyncClient]
    acknowledged: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    too_old: list[str] = field(default_factory=list)

    async def ask(self, at: int, query: str, **variables: Any) -> Any:
        """The data of a query that must succeed; a thread that changes all the time may be asked for again."""
        for _ in range(10):
            response = await self.readers[at].post("/graphql", json={"query": query, "variables": variables})
            answer = response.json()
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            if codes != ["STALE_READ"]:
                assert not codes, answer
                return answer["data"]
        raise AssertionError("the thread could not be read")

    async def read(self, at: int, thread_id: str, content_hash: str | None = None) -> None:
        """Read a thread, and compare with what was acknowledged before the read began."""
        least = self.acknowledged[thread_id]
        found = (await self.ask(at, READ, t=thread_id))["thread"]
        self.reads += 1
        if found["version"] < least:
            self.too_old.append(f"server {at}: thread {thread_id} at {found['version']} after {least}")
        if content_hash is not None and content_hash not in [n["contentHash"] for n in found["messages"]["nodes"]]:
            self.too_old.append(f"server {at}: message {content_hash} is not among the last")

    async def hits(self) -> float:
        """What the caches have served, of all servers together."""
        total = 0.0
        for reader in self.readers:
            lines = (await reader.get("/metrics")).text
            served = re.findall(r'^chorale_cache_reads_total\{.*result="hit"\} ([\d.e+]+)$', lines, re.M)
            total += sum(map(float, served))
        return total


@asynccontextmanager
async def replicas(servers: list[RunningServer]) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        clients = [httpx.AsyncClient(base_url=server.url, timeout=60, trust_env=False) for server in servers]
        yield Replicas(servers, [await stack.enter_async_context(client) for client in clients])


@contextmanager
def two_servers(chain: RunningChain, models: Path, tmp_path: Path) -> Iterator[list[RunningServer]]:
    with (
        running_redis(tmp_path) as redis,
        running_stack(tmp_path / "one", models, chain, CHORALE_CACHE_URL=redis.url) as one,
        running_stack(tmp_path / "other", models, chain, CHORALE_CACHE_URL=redis.url) as other,
    ):
        yield [one, other]


async def people(found: Replicas) -> list[list[Actor]]:
    """Writers, each in one session on every server."""
    first = found.servers[0]
    writers = [await first.actor() for _ in range(WRITERS)]
    everywhere = []
    for writer in writers:
        twins = [Actor(server, writer.keypair) for server in found.servers]
        for twin in twins:
            twin.token = writer.token
        everywhere.append(twins)
    return everywhere


async def write(found: Replicas, writer: list[Actor], stranger: list[Actor], until: float, dice: random.Random) -> None:
    """Posts and votes through changing servers, each read at another server as soon as it is acknowledged."""
    count = len(writer)
    threads = []
    for _ in range(THREADS):
        threads.append(await writer[0].create_thread(unique("A busy thread")))
        found.acknowledged[threads[-1]] = 1
    while time.monotonic() < until:
        thread_id, at = dice.choice(threads), dice.randrange(count)
        elsewhere = (at + 1) % count
        if dice.random() < 0.7:
            payload = await writer[at].act("postMessage", threadId=thread_id, body=unique("A post"))
            acknowledge(found, thread_id, payload)
            await found.read(elsewhere, thread_id, payload["message"]["contentHash"])
        else:
            submitted = await stranger[at].act(
                "submitMessage", threadId=thread_id, body=unique("May I"), stake="1000000"
            )
            acknowledge(found, thread_id, submitted)
            content_hash = submitted["message"]["contentHash"]
            await found.read(elsewhere, thread_id)
            voted = await writer[elsewhere].act("castVote", contentHash=content_hash, approve=False)
            acknowledge(found, thread_id, voted)
            message = (await stranger[at].ask(READ_MESSAGE, {"h": content_hash}))["message"]
            if message["status"] != "DENIED":
                found.too_old.append(f"server {at}: message {content_hash} is {message['status']} after its denial")


def acknowledge(found: Replicas, thread_id: str, payload: dict[str, Any]) -> None:
    assert payload["update"]["outcome"] in ("CONFIRMED", "VERIFIED"), payload["update"]
    message = payload["message"]
    found.acknowledged[thread_id] = max(found.acknowledged[thread_id], message["version"])


async def keep_reading(found: Replicas, until: float, dice: random.Random) -> None:
    while time.monotonic() < until:
        if found.acknowledged:
            await found.read(dice.randrange(len(found.servers)), dice.choice(list(found.acknowledged)))
        await asyncio.sleep(0.005)


async def all_at_once(servers: list[RunningServer], seed: int) -> Replicas:
    dice = random.Random(seed)
    async with replicas(servers) as found:
        writers = await people(found)
        until = time.monotonic() + SECONDS
        async with asyncio.TaskGroup() as tasks:
            for number, writer in enumerate(writers):
                stranger = writers[(number + 1) % len(writers)]
                tasks.create_task(write(found, writer, stranger, until, random.Random(seed + number)))
            for _ in range(4):
                tasks.create_task(keep_reading(found, until, dice))
        assert found.too_old == []
        assert found.reads > 20
        assert await found.hits() > 0
        await past_the_servers(found)
    return found


async def break_and_mend(proxy: Proxy, until: float) -> None:
    """The way to Redis: cut, whole, silent, whole."""
    turns = itertools.cycle((proxy.refuse, proxy.pass_all, proxy.go_silent, proxy.pass_all))
    while time.monotonic() < until:
        await asyncio.to_thread(next(turns))
        await asyncio.sleep(SECONDS / 8)
    await asyncio.to_thread(proxy.pass_all)


async def write_where_possible(found: Replicas, writer: list[Actor], until: float, dice: random.Random) -> None:
    """As `write`, where a server may refuse: what it does not acknowledge it need not show."""
    thread_id = await writer[0].create_thread(unique("A thread in bad weather"))
    found.acknowledged[thread_id] = 1
    while time.monotonic() < until:
        at = dice.randrange(len(writer))
        answer = await writer[at].execute(
            PREPARE["postMessage"],
            {
                "wallet": writer[at].address,
                "threadId": thread_id,
                "body": (body := unique("A post")),
            },
        )
        prepared = ((answer.get("data") or {}).get("prepare") or {}).get("postMessage") or {}
        if "transaction" not in prepared:
            continue
        signed = {"signedTransaction": writer[at].sign(prepared["transaction"]), "body": body, "salt": prepared["salt"]}
        answer = await writer[at].execute(MUTATE["postMessage"], {"input": signed})
        payload = (answer.get("data") or {}).get("postMessage") or {}
        if payload.get("__typename") == "PostMessageSuccess" and payload["update"]["outcome"] == "VERIFIED":
            acknowledge(found, thread_id, payload)
            await found.read((at + 1) % len(writer), thread_id)


async def past_the_servers(found: Replicas) -> None:
    """A wallet writes by RPC: from its event on, a server shows it, without being asked for a version."""
    server = found.servers[-1]
    writer = await server.actor()
    thread_id = await writer.create_thread(unique("By RPC"))
    found.acknowledged[thread_id] = 1
    chain = server.chain
    async with server.subscribed(EVENTS, {"t": thread_id}) as events:
        for number in range(8):
            await found.read(len(found.servers) - 1, thread_id)  # held by the cache
            instruction = instructions.post_message(
                chain.addresses,
                payer=writer.address,
                author=writer.address,
                thread_id=thread_id,
                body_hash=identity.body_hash(token_hex(32), "by rpc"),
                nonce=randbits(63),
            )
            await chain.send([instruction], [writer.keypair])
            while (await events.next())["threadEvents"]["version"] < number + 2:
                pass
            found.acknowledged[thread_id] = number + 2
            await found.read(len(found.servers) - 1, thread_id)
    assert found.too_old == []


async def test_two_servers_that_share_a_redis(localnet: RunningChain, models: Path, tmp_path: Path, seed: int) -> None:
    with two_servers(localnet, models, tmp_path) as servers:
        await all_at_once(servers, seed)


async def test_two_servers_of_which_one_loses_redis_again_and_again(
    localnet: RunningChain, models: Path, tmp_path: Path, seed: int
) -> None:
    """What it could not tell the other, and what it was not told meanwhile, makes no answer old."""
    with running_redis(tmp_path) as redis:
        proxy = Proxy(redis.port)
        proxy.start()
        through = f"redis://127.0.0.1:{proxy.port}/0"
        try:
            with (
                running_stack(tmp_path / "one", models, localnet, CHORALE_CACHE_URL=redis.url) as one,
                running_stack(tmp_path / "other", models, localnet, CHORALE_CACHE_URL=through) as other,
            ):
                async with replicas([one, other]) as found:
                    writers = await people(found)
                    until = time.monotonic() + SECONDS
                    async with asyncio.TaskGroup() as tasks:
                        for number, writer in enumerate(writers):
                            dice = random.Random(seed + number)
                            tasks.create_task(write_where_possible(found, writer, until, dice))
                        for _ in range(4):
                            tasks.create_task(keep_reading(found, until, random.Random(seed)))
                        tasks.create_task(break_and_mend(proxy, until))
                    assert found.too_old == []
                    assert sum(found.acknowledged.values()) > len(found.acknowledged)
                    assert await found.hits() > 0
                    await past_the_servers(found)
        finally:
            proxy.stop()


async def test_one_server_with_its_cache_in_memory(models: Path, tmp_path: Path, seed: int) -> None:
    with running_stack(tmp_path / "data", models) as server:
        await all_at_once([server], seed)
