"""Search finds by meaning and by words, shows nobody what they may not see, and says what matched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEARCH = """query ($q: String!, $f: SearchFilter, $m: SearchMode, $n: Int, $after: Cursor) {
  search(query: $q, filter: $f, mode: $m, first: $n, after: $after) {
    edges { node { contentHash body status thread { title } } cursor score highlights { text ranges { start end } } }
    nodes { contentHash } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def found(stack: Stack, viewer: str | None, q: str, story: Story, **more: Any) -> list[str]:
    data = await stack.ask(SEARCH, viewer, q=q, f={"threadId": story.thread_id, **more.pop("f", {})}, **more)
    return [node["contentHash"] for node in data["search"]["nodes"]]


@pytest.mark.parametrize("mode", ["HYBRID", "SEMANTIC", "TEXT"])
async def test_each_mode_finds_what_it_should(stack: Stack, story: Story, mode: str) -> None:
    """The best hit is the one about it, with its thread's title beside it."""
    data = await stack.ask(SEARCH, q="cables of steel", f={"threadId": story.thread_id}, m=mode)
    best = data["search"]["edges"][0]
    assert best["node"]["contentHash"] == story.approved.hash
    assert best["node"]["thread"] == {"title": story.title}
    scores = [edge["score"] for edge in data["search"]["edges"]]
    assert scores == sorted(scores, reverse=True)


async def test_meaning_is_found_without_a_common_word(stack: Stack, story: Story) -> None:
    """SEMANTIC finds by meaning; the highlight is then the start of the text, without ranges."""
    data = await stack.ask(SEARCH, q="ancient masonry viaducts", f={"threadId": story.thread_id}, m="SEMANTIC",
                           viewer=story.dan.key)  # fmt: skip
    best = data["search"]["edges"][0]
    assert best["node"]["contentHash"] == story.pending.hash
    assert best["highlights"] == [{"text": story.pending.content.body, "ranges": []}]


async def test_nobody_finds_what_they_may_not_see(stack: Stack, story: Story) -> None:
    """Pending and denied are found by those who may see them, staged by nobody."""
    for viewer, sees_pending, sees_denied in (
        (None, False, False),
        (story.eve.key, False, False),
        (story.ana.key, True, True),
        (story.cara.key, False, True),
        (story.dan.key, True, False),
    ):
        hits = await found(stack, viewer, "arch bridges of stone, cheap watches, drawbridges", story, n=50)
        assert (story.pending.hash in hits) == sees_pending
        assert (story.denied.hash in hits) == sees_denied
        assert story.staged.hash not in hits


async def test_filters_narrow(stack: Stack, story: Story) -> None:
    """By author, status and time."""
    everything = await found(stack, story.ana.key, "bridges", story, n=50)
    assert len(everything) == 5
    assert await found(stack, story.ana.key, "bridges", story, f={"author": story.dan.key}) == [story.pending.hash]
    assert await found(stack, story.ana.key, "bridges", story, f={"status": ["DENIED"]}) == [story.denied.hash]
    assert await found(stack, story.ana.key, "bridges", story, f={"submittedBefore": "2001-01-01T00:00:00Z"}) == []
    recent = await found(
        stack, story.ana.key, "bridges", story, f={"submittedAfter": "2001-01-01T00:00:00+01:00"}, n=50
    )
    assert sorted(recent) == sorted(everything)


async def test_a_co_author_of_too_many_threads_finds_pending_ones_of_the_latest(stack: Stack) -> None:
    """Past the bound on what a search is filtered by, the threads that were active last count."""
    parts = stack.parts
    author, asker = [Actor(parts.running, await parts.running.wallet()) for _ in range(2)]
    pending = []
    for number in range(2):
        thread = author.thread(f"Lighthouse {number}")
        thread_id = thread.content.key.thread_id
        draft = asker.submit(thread_id, f"The lighthouse lamp number {number} turns at night.")
        for actor, part in ((author, thread), (asker, draft)):
            await parts.stage(part.content)
            await actor.send(part.instruction)
        assert await parts.index.wait_for(thread_id, 2, PATIENCE)
        pending.append((thread_id, draft.hash))
    latest = (await parts.index.co_authored(author.key, 1))[0]
    for most, expected in ((2, pending), (1, [row for row in pending if row[0] == latest])):
        data = await stack.with_limits(viewer_threads=most).ask(
            SEARCH, author.key, q="lighthouse lamp", f={"author": asker.key}
        )
        assert sorted(node["contentHash"] for node in data["search"]["nodes"]) == sorted(hash for _, hash in expected)


async def test_pages_continue_by_rank(stack: Stack, story: Story) -> None:
    """Page by page the same hits in the same order as at once; the cursor is good for the same search only."""
    at_once = await found(stack, story.ana.key, "bridges over rivers", story, n=50)
    walked: list[str] = []
    after = None
    while True:
        data = await stack.ask(
            SEARCH, story.ana.key, q="bridges over rivers", f={"threadId": story.thread_id}, n=2, after=after
        )
        walked += [node["contentHash"] for node in data["search"]["nodes"]]
        assert data["search"]["pageInfo"]["hasPreviousPage"] == (after is not None)
        if not data["search"]["pageInfo"]["hasNextPage"]:
            break
        after = data["search"]["pageInfo"]["endCursor"]
    assert walked == at_once
    for viewer, query in ((story.ben.key, "bridges over rivers"), (story.ana.key, "other words")):
        answer = await stack.run(SEARCH, viewer, q=query, f={"threadId": story.thread_id}, n=2, after=after)
        assert (answer.codes, answer.data) == (["INVALID_INPUT"], {"search": None})


async def test_highlights_count_utf16_units(stack: Stack, story: Story) -> None:
    """Ranges cut the query's words out of the text as JavaScript counts, whatever stands before them."""
    data = await stack.ask(SEARCH, q="BACH pfeiler", f={"threadId": story.thread_id}, m="TEXT")
    edge = next(e for e in data["search"]["edges"] if e["node"]["contentHash"] == story.posts[1].hash)
    (highlight,) = edge["highlights"]
    units = highlight["text"].encode("utf-16-le")
    words = [units[2 * r["start"] : 2 * r["end"]].decode("utf-16-le") for r in highlight["ranges"]]
    assert words == ["Bach", "Pfeiler"]


@pytest.mark.parametrize("query", ["", "   ", "x" * 1001, "\ud800"])
async def test_unusable_queries_are_refused(stack: Stack, query: str) -> None:
    """Empty, too long and malformed text is named as such."""
    answer = await stack.run(SEARCH, q=query)
    assert answer.codes == ["INVALID_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == "query"
