"""A server process that reaches each of its authorities through a proxy, and what tests ask of it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient
from solders.keypair import Keypair

from tests.chains import RunningChain
from tests.faults.proxy import Proxy, running_proxy
from tests.patience import PATIENCE
from tests.processes import end
from tests.qdrant.rest import running_qdrant
from tests.stack import Actor, Json, RunningServer, Subscribed, running_stack, unique

LOOK = """
query Look($threadId: Hash!) {
  thread(threadId: $threadId) {
    threadId version slot commitment title
    messages(first: 100) { nodes { contentHash status body contentState } }
  }
}"""
HEALTH = "query Health { boundaries { authorities { authority health } } }"
BALANCE = "query Balance($address: Pubkey!) { user(address: $address) { address lamports } }"
SEARCH = "query Search($query: String!) { search(query: $query) { nodes { contentHash } } }"
UPDATE = "query Update($signature: Signature!) { stateUpdate(signature: $signature) { outcome } }"
TOLD = "subscription Told { boundaryEvents { kind authority detail } }"
HAPPENS = """
subscription Happens($threadId: Hash!) {
  threadEvents(threadId: $threadId) { __typename ... on MessagePublished { message { contentHash body } } }
}"""
PREPARE = """
query Prepare($wallet: Pubkey!, $threadId: Hash!, $body: String!) {
  prepare {
    postMessage(wallet: $wallet, threadId: $threadId, body: $body) {
      __typename ... on Problem { code explanation retryable } ... on AuthorityUnavailable { authority }
    }
  }
}"""
POST = """
mutation Post($input: PostMessageInput!) {
  postMessage(input: $input) {
    __typename ... on Problem { code explanation retryable } ... on AuthorityUnavailable { authority }
    ... on PostMessageSuccess { update { outcome signature } message { contentHash status } }
  }
}"""


@dataclass
class House:
    """A server, its proxies, and a thread: Ana's post is public, Ben's submission is pending, Eve is a stranger."""

    server: RunningServer
    rpc: Proxy
    pubsub: Proxy
    qdrant: Proxy
    redis: Proxy
    content: QdrantClient
    redis_url: str
    ana: Actor
    ben: Actor
    eve: Actor
    thread_id: str = ""
    posted: str = ""
    pending: str = ""

    async def look(self, actor: Actor | None = None) -> Json:
        """The response body of a read of the thread, by anybody or by `actor`."""
        return await self.server.execute(LOOK, {"threadId": self.thread_id}, None if actor is None else actor.token)

    async def health(self, authority: str) -> str:
        """How an authority does, as the server says."""
        known = (await self.server.data_of(HEALTH))["boundaries"]["authorities"]
        return {each["authority"]: each["health"] for each in known}[authority]

    async def becomes(self, authority: str, *health: str) -> None:
        """Wait until it does as said."""
        await eventually(lambda: self._is(authority, health), f"{authority} {' or '.join(health)}")

    async def _is(self, authority: str, health: tuple[str, ...]) -> bool:
        return await self.health(authority) in health

    async def try_post(self, signed: Json) -> Json:
        """What a post that was signed before answers."""
        answer: Json = (await self.ana.ask(POST, {"input": signed}))["postMessage"]
        return answer

    async def taken(self, signed: Json) -> None:
        """A post is taken, whatever the weather: verified, or confirmed and verified later."""
        answer = await self.try_post(signed)
        assert answer["__typename"] == "PostMessageSuccess", answer
        assert answer["update"]["outcome"] in ("VERIFIED", "CONFIRMED"), answer

    async def try_prepare(self) -> Json:
        """What preparing a post answers."""
        wanted = {"wallet": self.ana.address, "threadId": self.thread_id, "body": "A text."}
        answer: Json = (await self.ana.ask(PREPARE, wanted))["prepare"]["postMessage"]
        return answer

    async def sign_post(self) -> Json:
        """A post, prepared and signed, with a body of its own."""
        return await self.ana.signed("postMessage", threadId=self.thread_id, body=unique("A post"))

    async def stir(self) -> None:
        """Traffic that meets every authority, whatever comes of it: what the server learns from calls it learns now."""
        reads = [self.server.execute(BALANCE, {"address": str(Keypair().pubkey())}) for _ in range(4)]
        await asyncio.gather(*reads, *(self.look(self.ben) for _ in range(4)))

    @asynccontextmanager
    async def told(self) -> AsyncIterator[Told]:
        """What operators hear from now on."""
        async with self.subscribed(self.ana, TOLD, {}) as events:
            yield Told(events)

    @asynccontextmanager
    async def subscribed(self, actor: Actor, query: str, variables: Json) -> AsyncIterator[Subscribed]:
        """A subscription in an actor's session that has begun."""
        before = await self._subscriptions()

        async def has_begun() -> bool:
            return await self._subscriptions() > before

        async with actor.subscribed(query, variables) as events:
            await eventually(has_begun, "the subscription")
            yield events

    async def _subscriptions(self) -> float:
        """How many of them the server counts."""
        async with httpx.AsyncClient(trust_env=False) as http:
            lines = (await http.get(f"{self.server.url}/metrics")).text.splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith('chorale_open{what="subscription"}'))

    @asynccontextmanager
    async def weather(
        self, authority: str, *turns: Callable[[], object], kind: str = "AUTHORITY_LOST"
    ) -> AsyncIterator[Callable[[], Awaitable[str]]]:
        """Bad weather from the `turns` on, which are of the proxies, to the end of the block; left once operators have
        heard that it is over. Yields what waits until they have heard of it, as `kind`: its words."""
        async with self.told() as told:
            for turn in turns:
                await asyncio.to_thread(turn)
            yield lambda: told.until(kind, authority)
            await self.clear()
            await told.until("AUTHORITY_RECOVERED", authority)

    async def clear(self) -> None:
        """Plain wires."""
        for proxy in (self.rpc, self.pubsub, self.qdrant, self.redis):
            await asyncio.to_thread(proxy.pass_all)

    async def refused(self, authority: str, signed: Json) -> None:
        """A write and its preparation are refused early, by name, and nothing of it is kept."""
        for answer in (await self.try_post(signed), await self.try_prepare()):
            assert answer["__typename"] == "AuthorityUnavailable", answer
            assert (answer["authority"], answer["retryable"]) == (authority, True), answer

    async def accepted(self, signed: Json) -> str:
        """The same write is taken now, whole, and verified, if not within its own time then by itself; its content
        hash."""
        answer = await self.try_post(signed)
        assert answer["__typename"] == "PostMessageSuccess", answer
        outcome = answer["update"]["outcome"]
        async with asyncio.timeout(PATIENCE):
            while outcome != "VERIFIED":
                assert outcome == "CONFIRMED", answer
                await asyncio.sleep(0.2)
                asked = {"signature": answer["update"]["signature"]}
                outcome = (await self.ana.ask(UPDATE, asked))["stateUpdate"]["outcome"]
        content_hash: str = answer["message"]["contentHash"]
        return content_hash

    async def mend(self) -> None:
        """Plain wires, and every authority well again."""
        await self.clear()
        for authority in ("SOLANA", "QDRANT", "BACKEND"):
            await self.becomes(authority, "HEALTHY")


class Told:
    """An operator's ear."""

    def __init__(self, events: Subscribed) -> None:
        self._events = events

    async def until(self, kind: str, authority: str) -> str:
        """Wait for an announcement; its words."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = (await self._events.next())["boundaryEvents"]
                if (event["kind"], event["authority"]) == (kind, authority):
                    detail: str = event["detail"]
                    return detail


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until a coroutine function says yes."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # type: ignore[misc]
            await asyncio.sleep(0.1)


def statuses(body: Json) -> dict[str, str]:
    """Status by content hash, as a reader sees them."""
    nodes = body["data"]["thread"]["messages"]["nodes"]
    return {node["contentHash"]: node["status"] for node in nodes}


@contextmanager
def running_redis(folder: Path) -> Iterator[int]:
    """A Redis server's port."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is missing")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary, "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if b"Ready to accept connections" in line:
                break
        yield port
    finally:
        end(process)


@contextmanager
def running_house(chain: RunningChain, models: Path, folder: Path) -> Iterator[House]:
    """Everything, started, with its thread told."""
    with ExitStack() as stack:
        redis_port = stack.enter_context(running_redis(folder))
        content = stack.enter_context(running_qdrant())
        rpc, pubsub, qdrant, redis = [
            stack.enter_context(running_proxy(port))
            for port in (_port(chain.rpc_url), _port(chain.ws_url), _port(content.address), redis_port)
        ]
        ana = Keypair()
        server = stack.enter_context(
            running_stack(
                folder / "data",
                models,
                replace(chain, rpc_url=rpc.url, ws_url=pubsub.ws_url),
                launcher=("-m", "tests.degraded.hasty"),
                CHORALE_CONTENT_URL=qdrant.url,
                CHORALE_CACHE_URL=f"redis://127.0.0.1:{redis.port}/0",
                CHORALE_OPERATORS=str(ana.pubkey()),
            )
        )
        server._cluster = chain  # what tests do to the chain goes past the proxy
        actors = [Actor(server, keypair) for keypair in (ana, Keypair(), Keypair())]
        house = House(server, rpc, pubsub, qdrant, redis, content.client, f"redis://127.0.0.1:{redis_port}/0", *actors)
        asyncio.run(_tell(house, chain))
        yield house
        for proxy in (rpc, pubsub, qdrant, redis):
            proxy.pass_all()


async def _tell(house: House, chain: RunningChain) -> None:
    for actor in (house.ana, house.ben, house.eve):
        await chain.fund(actor.address, tokens=1_000_000_000)
        await actor.sign_in()
    house.thread_id = await house.ana.create_thread("Weather")
    posted = await house.ana.act("postMessage", threadId=house.thread_id, body="The bridge holds in every weather.")
    house.posted = posted["message"]["contentHash"]
    house.pending = await house.ben.submit(house.thread_id, "A secret until it is approved.")
    await house.look(house.ben)


def _port(url: str) -> int:
    return int(url.rstrip("/").rpartition(":")[2])
