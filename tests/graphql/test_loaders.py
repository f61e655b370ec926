"""Whatever is selected, a page costs one getMultipleAccounts per 100 accounts and one call to the content store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import pytest_asyncio

from chorale.domain.content import ContentKey, ContentKind, ContentState, FetchedContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from datasources.loaders.batch import BatchLoader
from datasources.loaders.contents import ContentLoader
from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 50
EVERYTHING = """query ($t: Hash!, $n: Int!) { thread(threadId: $t) {
  id title titleState creator { id address } coAuthors { user { id } joinedVersion } version slot eventCursor
  tokenBalance { amount decimals mint } contentRoot viewerIsCoAuthor
  messages(last: $n) { pageInfo { hasNextPage startCursor } edges { cursor }
    nodes { id contentHash nonce salt address author { id address } body contentState status stake { amount decimals }
      escrowRemaining { amount } submittedAt submittedVersion expiresAt decidedAt votes { voter { id } approve }
      requiredVoters { id } viewerCanVote viewerCanClaim version slot commitment leafIndex
      proof { root leaf path } thread { id title version } } } } }"""
LITTLE = """query ($t: Hash!, $n: Int!) { thread(threadId: $t) { messages(last: $n) { nodes { id status } } } }"""
BALANCES = """query ($t: Hash!, $n: Int!) { thread(threadId: $t) { messages(last: $n) {
  nodes { author { tokenBalance { amount } lamports slot } } } } }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long_thread(parts: Parts) -> str:
    """A thread of 120 posts by one author."""
    author = Actor(parts.running, await parts.running.wallet())
    thread = author.thread("A long one")
    thread_id = thread.content.key.thread_id
    await parts.stage(thread.content)
    await author.send(thread.instruction)
    posts = [author.post(thread_id, f"Stone number {number} of the wall.") for number in range(120)]
    for post in posts:
        await parts.content.stage(post.content, lease_until=2**40)
    await asyncio.gather(
        *[author.send(*[post.instruction for post in posts[start : start + 4]]) for start in range(0, 120, 4)]
    )
    assert await parts.index.wait_for(thread_id, 121, PATIENCE)
    return thread_id


@pytest.mark.parametrize("query", [EVERYTHING, LITTLE])
async def test_a_page_of_50_is_one_read_of_accounts(stack: Stack, long_thread: str, query: str) -> None:
    """Thread, messages and clock share one call; bodies and titles another; nothing grows with the selection."""
    await stack.facts.token()
    nodes = (await stack.ask(query, "1" * 31 + "2", t=long_thread, n=SIZE))["thread"]["messages"]["nodes"]
    assert len(nodes) == SIZE
    assert stack.chain.calls == [SIZE + 2]
    assert stack.content.calls == ([SIZE + 1] if query is EVERYTHING else [])
    if query is EVERYTHING:
        assert all(node["body"].startswith("Stone number") for node in nodes)
        assert {node["thread"]["title"] for node in nodes} == {"A long one"}


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("pendingApprovals(voter: $ben) { nodes { body thread { title } } }", 2),
        ("claimableEscrow(wallet: $ben) { nodes { body thread { title } } }", 2),
        ("user(address: $ben) { messages { nodes { body thread { title } } } }", 3),
        ("thread(threadId: $t) { messages { nodes { body thread { title } } } }", 7),
        ("threads(coAuthor: $ben) { nodes { title messages { nodes { body } } } }", 7),
        ("threads(first: 2) { nodes { title messages(last: 5) { nodes { body thread { titleState } } } } }", None),
    ],
)
async def test_titles_go_along_with_the_bodies_of_a_page(
    stack: Stack, story: Story, long_thread: str, query: str, texts: int | None
) -> None:
    """One call to the content store for all texts of a page, in whatever list it is."""
    declared = {"$ben": "$ben: Pubkey!", "$t": "$t: Hash!"}
    head = ", ".join(text for name, text in declared.items() if name in query)
    variables = {name: value for name, value in (("ben", story.ben.key), ("t", story.thread_id)) if f"${name}" in query}
    await stack.ask(f"query {f'({head})' if head else ''} {{ {query} }}", story.ben.key, **variables)
    (call,) = stack.content.calls
    assert texts is None or call == texts


async def test_neither_first_nor_last_means_the_last_20(stack: Stack, long_thread: str) -> None:
    """A thread opens at its end: what was said last, in order, with more before it and nothing behind."""
    query = """query ($t: Hash!) { thread(threadId: $t) { whole: messages(last: 100) { nodes { id } }
      messages { nodes { id } pageInfo { hasPreviousPage hasNextPage } } } }"""
    thread = (await stack.ask(query, t=long_thread))["thread"]
    assert thread["messages"]["nodes"] == thread["whole"]["nodes"][-20:]
    assert thread["messages"]["pageInfo"] == {"hasPreviousPage": True, "hasNextPage": False}


async def test_a_page_of_100_is_two_reads(stack: Stack, long_thread: str) -> None:
    """101 accounts are two calls, the thread in the first."""
    await stack.facts.token()
    assert len((await stack.ask(LITTLE, t=long_thread, n=100))["thread"]["messages"]["nodes"]) == 100
    assert stack.chain.calls == [100, 1]


async def test_balances_of_all_authors_are_one_more_read(stack: Stack, long_thread: str) -> None:
    """Authors come with their messages; their wallets and token accounts are read once, together."""
    await stack.facts.token()
    await stack.ask(BALANCES, t=long_thread, n=SIZE)
    assert stack.chain.calls == [SIZE + 1, 2]


async def test_neighbours_share_a_batch(stack: Stack, story: Story, long_thread: str) -> None:
    """Threads asked for side by side are read together, and their titles too."""
    await stack.facts.token()
    query = "query ($a: Hash!, $b: Hash!) { a: thread(threadId: $a) { title } b: thread(threadId: $b) { title } }"
    assert (await stack.ask(query, a=long_thread, b=story.thread_id))["b"] == {"title": story.title}
    assert (stack.chain.calls, stack.content.calls) == ([2], [2])


async def test_a_search_reads_its_hits_once(stack: Stack, long_thread: str) -> None:
    """Bodies come with the hits; the accounts of the page are one read."""
    await stack.facts.token()
    query = """query ($t: Hash!) { search(query: "stone wall", filter: {threadId: $t}, first: 20) {
      nodes { body author { address } thread { title } } } }"""
    assert len((await stack.ask(query, t=long_thread))["search"]["nodes"]) == 20
    assert (stack.chain.calls, stack.content.calls) == ([22], [1])


async def test_a_failed_batch_reaches_everyone_who_waits() -> None:
    """One error for all keys of the batch, and the next batch is tried anew."""

    class Failing(BatchLoader[int, int]):
        async def fetch(self, keys: Sequence[int]) -> dict[int, int]:
            if 0 in keys:
                raise AuthorityUnavailableError(Authority.SOLANA)
            return {key: key * 2 for key in keys}

    loader = Failing()
    results = await asyncio.gather(*[loader.load(key) for key in (0, 1)], return_exceptions=True)
    assert all(isinstance(result, AuthorityUnavailableError) for result in results)
    assert await loader.load_many([2, 3, 2]) == [4, 6, 4]


async def test_a_caller_who_leaves_takes_nothing_from_its_neighbours() -> None:
    """Executors cancel the siblings of a failed field; whoever else waits for the same key still gets it."""
    go = asyncio.Event()

    class Slow(BatchLoader[int, int]):
        async def fetch(self, keys: Sequence[int]) -> dict[int, int]:
            await go.wait()
            return dict.fromkeys(keys, 7)

    loader = Slow()

    async def ask() -> int:
        return await loader.load(1)

    leaving, staying = asyncio.create_task(ask()), asyncio.create_task(ask())
    await asyncio.sleep(0.01)
    leaving.cancel()
    go.set()
    assert await staying == 7
    assert leaving.cancelled() or leaving.cancelling()


async def test_expected_askers_share_the_call_and_a_lost_one_holds_nothing_up() -> None:
    """A call waits for whoever was announced, until they ask or their task has ended."""
    calls: list[int] = []

    class Store:
        async def fetch(self, keys: Sequence[ContentKey]) -> dict[ContentKey, FetchedContent]:
            calls.append(len(keys))
            return dict.fromkeys(keys, FetchedContent(ContentState.MISSING))

    first, second, third = [ContentKey(ContentKind.TITLE, "", str(number)) for number in range(3)]
    loader = ContentLoader(Store())  # type: ignore[arg-type]
    begin = asyncio.Event()
    late = asyncio.ensure_future(begin.wait())
    expectation = loader.expect(late)  # type: ignore[arg-type]
    title = loader.load(first)
    await asyncio.sleep(0.01)
    assert not title.done()
    body = loader.load(second)
    expectation.release()
    await asyncio.gather(title, body)
    assert calls == [2]
    lost = asyncio.ensure_future(asyncio.sleep(60))
    loader.expect(lost)  # type: ignore[arg-type]
    waiting = loader.load(third)
    lost.cancel()
    await waiting
    begin.set()
    await late
    assert calls == [2, 1]
