"""Pages come from the cache while that surely is current, of one version; and from what was last known, marked so,
while Solana is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from secrets import token_hex

import pytest
import pytest_asyncio

from chorale.domain.caching import CachedAccount, Floor
from chorale.domain.chain import AccountData, AccountsRead
from chorale.domain.paging import PageRequest
from chorale.limits import Limits
from chorale.settings import DEFAULT_MODEL
from datasources.cache.entities import open_entities
from datasources.embeddings import open_embedder
from datasources.loaders import MessageKey
from tests.chains import RunningChain
from tests.graphql.stack import Stack
from tests.patience import PATIENCE
from tests.redis import running_redis
from tests.spine.parts import Actor, Draft, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 12
LIMITS = Limits(cache_flight=20.0, cache_timeout=20.0)  # a busy machine is not a Redis that is away
PAGE = """query ($t: Hash!) { thread(threadId: $t) { version messageCount
  messages(last: 50) { nodes { contentHash status version } } } }"""
BALANCE = "query ($w: Pubkey!) { user(address: $w) { lamports slot tokenBalance { amount } } }"


@dataclass
class Discussion:
    """A thread of posts by its author, to which a stranger may submit."""

    parts: Parts
    author: Actor
    stranger: Actor
    thread_id: str
    version: int

    async def follow(self, draft: Draft) -> str:
        """Send straight to the RPC; returns when this replica's index has it."""
        await self.parts.stage(draft.content)
        await self.author.send(draft.instruction)
        await self._followed()
        return draft.hash

    async def submit(self, body: str) -> str:
        draft = self.stranger.submit(self.thread_id, body)
        await self.parts.stage(draft.content)
        await self.stranger.send(draft.instruction)
        await self._followed()
        return draft.hash

    async def deny(self, content_hash: str) -> None:
        await self.author.send(self.author.vote(self.thread_id, content_hash, approve=False))
        await self._followed()

    async def _followed(self) -> None:
        self.version += 1
        assert await self.parts.index.wait_for(self.thread_id, self.version, PATIENCE)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["memory", "redis"])
async def parts(
    request: pytest.FixtureRequest, localnet: RunningChain, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Parts]:
    """Open, with either cache, and watched."""
    folder = tmp_path_factory.mktemp("cached")
    async with AsyncExitStack() as stack:
        url = "memory:" if request.param == "memory" else stack.enter_context(running_redis(folder)).url
        cache = await stack.enter_async_context(open_entities(url, token_hex(8), LIMITS))
        embedder = await stack.enter_async_context(open_embedder(DEFAULT_MODEL, folder / "model", lambda _: None))
        opened = await stack.enter_async_context(open_parts(localnet, embedder, folder, cache))
        await stack.enter_async_context(opened.watch())
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def discussion(parts: Parts) -> AsyncIterator[Discussion]:
    author, stranger = [Actor(parts.running, await parts.running.wallet()) for _ in range(2)]
    thread = author.thread("Of one version")
    thread_id = thread.content.key.thread_id
    await parts.stage(thread.content)
    await author.send(thread.instruction)
    drafts = [author.post(thread_id, f"Point {number}.") for number in range(SIZE)]
    for draft in drafts:
        await parts.stage(draft.content)
    for start in range(0, SIZE, 4):
        await author.send(*[draft.instruction for draft in drafts[start : start + 4]])
    assert await parts.index.wait_for(thread_id, SIZE + 1, PATIENCE)
    yield Discussion(parts, author, stranger, thread_id, SIZE + 1)


@pytest_asyncio.fixture(loop_scope="session")
async def cached(parts: Parts) -> Stack:
    """A stack with an empty cache, whose watcher has heard the slot after the last write."""
    stack = Stack(parts, cached=True)
    await stack.facts.token()
    await parts.cache.clear()
    await later(parts)
    return stack


async def later(parts: Parts) -> None:
    """Wait until what is read is of a later slot than all that happened, and this replica hears that slot."""
    slot = await parts.chain.slot()
    async with asyncio.timeout(PATIENCE):
        while parts.watcher is None or parts.watcher.heard_slot <= slot:
            await asyncio.sleep(0.02)


async def test_a_page_is_read_once(cached: Stack, discussion: Discussion) -> None:
    first = await cached.ask(PAGE, t=discussion.thread_id)
    assert cached.chain.calls == [SIZE + 1]
    assert len(first["thread"]["messages"]["nodes"]) == SIZE
    assert await cached.ask(PAGE, t=discussion.thread_id) == first
    assert cached.chain.calls == [SIZE + 1]
    now = cached.measures.now()
    assert (now.cache_hits["thread"], now.cache_hits["message"]) == (1, SIZE)
    assert (now.cache_misses["thread"], now.cache_misses["message"]) == (1, SIZE)


async def test_after_a_change_only_what_changed_is_read_and_shown_at_once(
    cached: Stack, discussion: Discussion
) -> None:
    """A wallet writes past the server; from the moment at which the index tells of it, so do answers."""
    content_hash = await discussion.submit("Undecided.")
    await later(discussion.parts)
    await cached.ask(PAGE, t=discussion.thread_id)
    for _ in range(3):
        cached.chain.calls.clear()
        body = await discussion.follow(discussion.author.post(discussion.thread_id, "One more."))
        thread = (await cached.ask(PAGE, t=discussion.thread_id))["thread"]
        assert thread["version"] == discussion.version
        assert body in [node["contentHash"] for node in thread["messages"]["nodes"]]
        assert cached.chain.calls == [2]
    cached.chain.calls.clear()
    await discussion.deny(content_hash)
    thread = (await cached.ask(PAGE, discussion.author.key, t=discussion.thread_id))["thread"]
    assert cached.chain.calls[0] <= 4  # thread, message, clock and no more
    shown = {node["contentHash"]: node["status"] for node in thread["messages"]["nodes"]}
    assert shown[content_hash] == "DENIED"


async def test_what_the_chain_has_told_is_not_read_again(cached: Stack, discussion: Discussion) -> None:
    """A wallet writes past the server; what its change has made of thread and messages came along with it."""
    parts = discussion.parts
    await parts.projector.floors.stand_from(await parts.chain.slot())
    await later(parts)
    await cached.ask(PAGE, t=discussion.thread_id)
    for _ in range(3):
        cached.chain.calls.clear()
        body = await discussion.follow(discussion.author.post(discussion.thread_id, "One more."))
        thread = (await cached.ask(PAGE, t=discussion.thread_id))["thread"]
        assert thread["version"] == discussion.version
        assert body in [node["contentHash"] for node in thread["messages"]["nodes"]]
        assert cached.chain.calls == []


async def test_messages_stay_out_where_their_floors_may_be_missing(cached: Stack, discussion: Discussion) -> None:
    """The chain shows a version that this replica has not heard of yet: what the cache holds may be from before."""
    await cached.ask(PAGE, t=discussion.thread_id)
    chain, addresses = discussion.parts.chain, discussion.parts.running.addresses
    address = addresses.thread(discussion.thread_id)
    slot = await chain.slot()
    await cached.parts.cache.raise_floors({address: Floor(slot + 1)})
    account = (await chain.accounts([address])).accounts[0]
    assert account is not None
    at = account.data.index(discussion.version.to_bytes(8, "little"), 10 + 32 + 32)  # its sequence
    ahead = account.data[:at] + (discussion.version + 1).to_bytes(8, "little") + account.data[at + 8 :]
    cached.chain.calls.clear()
    cached.chain.answers = [AccountsRead(slot + 1, (AccountData(address, account.owner, 1, ahead),))]
    loaders = cached.context().loaders
    page = await discussion.parts.index.messages(discussion.thread_id, PageRequest(first=50), viewer=None)
    keys = [MessageKey(discussion.thread_id, row.id) for row in page.rows]
    reads = await loaders.messages(keys)
    assert cached.chain.calls == [1, SIZE]
    assert all(read is not None and read[0].account.sequence == discussion.version + 1 for read in reads)
    await cached.parts.cache.forget([address])


async def test_a_mixture_is_read_again_past_the_cache(cached: Stack, discussion: Discussion) -> None:
    """Whatever is wrong in the cache, an answer is of one version."""
    await cached.ask(PAGE, t=discussion.thread_id)
    address = discussion.parts.running.addresses.thread(discussion.thread_id)
    held = (await discussion.parts.cache.get([address]))[address]
    await discussion.follow(discussion.author.post(discussion.thread_id, "Beyond."))
    thread = (await cached.ask(PAGE, t=discussion.thread_id))["thread"]
    await discussion.parts.cache.forget([address])
    slot = await discussion.parts.chain.slot()
    wrong = CachedAccount(held.account, slot, discussion.version, held.read_at)  # old bytes, said to be new
    await discussion.parts.cache.put({address: wrong})
    assert (await cached.ask(PAGE, t=discussion.thread_id))["thread"]["version"] == discussion.version - 1
    filtered = PAGE.replace("last: 50", "last: 50, status: [PUBLISHED]")
    assert (await cached.ask(filtered, t=discussion.thread_id))["thread"] == thread
    await discussion.parts.cache.forget([address])


async def test_nothing_is_served_while_the_chain_is_not_heard(
    cached: Stack, discussion: Discussion, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cached.ask(PAGE, t=discussion.thread_id)
    monkeypatch.setattr(Stack, "heard_slot", 0)
    await cached.ask(PAGE, t=discussion.thread_id)
    assert cached.chain.calls == [SIZE + 1, SIZE + 1]
    monkeypatch.undo()
    slot = await discussion.parts.chain.slot()
    monkeypatch.setattr(Stack, "heard_slot", slot - 100)  # heard of, and far behind what is read
    await cached.ask(PAGE, t=discussion.thread_id)
    assert cached.chain.calls == [SIZE + 1] * 3


async def test_readers_at_the_same_time_share_one_read(cached: Stack, discussion: Discussion) -> None:
    answers = await asyncio.gather(*(cached.ask(PAGE, t=discussion.thread_id) for _ in range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert sum(cached.chain.calls) == SIZE + 1


async def test_without_solana_what_was_last_known_is_told_with_its_slot(
    cached: Stack, discussion: Discussion, parts: Parts
) -> None:
    author = discussion.author.key
    known = await cached.ask(PAGE, t=discussion.thread_id)
    balance = await cached.ask(BALANCE, w=author)
    cached.chain.away = True
    context = cached.context(author)
    result = await cached.schema.execute(PAGE, variable_values={"t": discussion.thread_id}, context_value=context)
    assert result.errors is None
    assert result.data == known
    assert await cached.ask(BALANCE, w=author) == balance
    answer = await cached.run(BALANCE, w=discussion.stranger.key)
    assert answer.codes == ["AUTHORITY_UNAVAILABLE"] * 3  # never read before
    loaders = cached.context().loaders
    assert (await loaders.balances(author)).slot == balance["user"]["slot"]
    assert loaders.stale is not None
    assert loaders.stale.slot == balance["user"]["slot"]
    cached.chain.away = False
    fresh = cached.context().loaders
    await fresh.balances(author)
    assert fresh.stale is None
