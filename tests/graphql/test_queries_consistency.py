"""An answer is of one version, waits for the version asked for, and says so where an authority is away."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from chorale.domain.cursors import event_position
from chorale.limits import Limits
from tests.graphql.stack import Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = """query ($t: Hash!) { thread(threadId: $t) { version eventCursor
  messages(first: 50) { nodes { contentHash version } } } }"""


async def open_thread(parts: Parts) -> tuple[Actor, str]:
    author = Actor(parts.running, await parts.running.wallet())
    thread = author.thread("Moving")
    await parts.stage(thread.content)
    await author.send(thread.instruction)
    thread_id = thread.content.key.thread_id
    assert await parts.index.wait_for(thread_id, 1, PATIENCE)
    return author, thread_id


async def post(parts: Parts, author: Actor, thread_id: str, body: str) -> str:
    draft = author.post(thread_id, body)
    await parts.stage(draft.content)
    await author.send(draft.instruction)
    return draft.hash


async def test_a_mixture_is_read_again(stack: Stack) -> None:
    """Where the thread's account is older than the index, only a filtered page makes the query be executed again."""
    parts = stack.parts
    author, thread_id = await open_thread(parts)
    address = parts.running.addresses.thread(thread_id)
    await stack.facts.token()
    old = await parts.chain.accounts([address])
    await post(parts, author, thread_id, "Second.")
    assert await parts.index.wait_for(thread_id, 2, PATIENCE)
    old = replace(old, accounts=(*old.accounts, None))  # as before the message was there
    published = PAGE.replace("first: 50", "first: 50, status: [PUBLISHED]")
    stack.chain.answers = [old]
    data = await stack.ask(published, t=thread_id)
    assert (data["thread"]["version"], len(data["thread"]["messages"]["nodes"])) == (2, 1)
    assert len(stack.chain.calls) == 2
    stack.chain.answers = [old] * 3
    answer = await stack.run(published, t=thread_id)
    assert (answer.codes, answer.data["thread"]["messages"]) == (["STALE_READ"], None)
    assert len(stack.chain.calls) == 5
    stack.chain.answers = [old]
    data = await stack.ask(PAGE, t=thread_id)
    assert (data["thread"]["version"], data["thread"]["messages"]["nodes"]) == (1, [])  # it can be told without
    assert len(stack.chain.calls) == 6


async def test_a_cursor_of_an_older_version_leads_to_what_came_since(stack: Stack) -> None:
    """`eventCursor` belongs to the version that was read, though the log has gone on: nothing is skipped."""
    parts = stack.parts
    author, thread_id = await open_thread(parts)
    await stack.facts.token()
    old = await parts.chain.accounts([parts.running.addresses.thread(thread_id)])
    missed = await post(parts, author, thread_id, "Second.")
    assert await parts.index.wait_for(thread_id, 2, PATIENCE)
    stack.chain.answers = [old]
    thread = (await stack.ask("query ($t: Hash!) { thread(threadId: $t) { version eventCursor } }", t=thread_id))[
        "thread"
    ]
    assert thread["version"] == 1
    batch = await parts.index.events_after(thread_id, event_position(thread["eventCursor"]), 10)
    assert [(event.sequence, event.content_hash) for event in batch.events] == [(2, missed)]
    assert batch.gap is None


async def test_an_answer_while_the_thread_moves_is_of_one_version(stack: Stack) -> None:
    """Read in a loop against posting: as many messages as the version says, every time."""
    parts = stack.parts
    author, thread_id = await open_thread(parts)

    async def keep_posting() -> None:
        for number in range(6):
            await post(parts, author, thread_id, f"Message {number}.")

    writing = asyncio.create_task(keep_posting())
    answers = 0
    while not writing.done():
        data = await stack.ask(PAGE, t=thread_id)
        nodes = data["thread"]["messages"]["nodes"]
        assert len(nodes) == data["thread"]["version"] - 1
        assert {node["version"] for node in nodes} <= {data["thread"]["version"]}
        answers += 1
        await asyncio.sleep(0)
    await writing
    assert answers > 1


async def test_min_version_waits_and_gives_up(stack: Stack) -> None:
    """Reached: at once. Not there yet: as soon as it is. Out of reach: VERSION_NOT_REACHED."""
    parts = stack.parts
    author, thread_id = await open_thread(parts)
    query = "query ($t: Hash!, $v: Version!) { thread(threadId: $t, minVersion: $v) { version } }"
    assert (await stack.ask(query, t=thread_id, v=1))["thread"]["version"] == 1
    waiting = asyncio.create_task(stack.ask(query, t=thread_id, v=2))
    await asyncio.sleep(0)
    await post(parts, author, thread_id, "Awaited.")
    assert (await waiting)["thread"]["version"] == 2
    hasty = stack.with_limits(min_version_wait=0.2)
    answer = await hasty.run(query, t=thread_id, v=99)
    assert (answer.codes, answer.data) == (["VERSION_NOT_REACHED"], {"thread": None})
    assert (await hasty.run(query, t="cd" * 32, v=1)).codes == ["VERSION_NOT_REACHED"]


async def test_min_version_tells_nobody_what_is_hidden(stack: Stack, story: Story) -> None:
    """An invisible message and an absent one take the same time to the same answer."""
    hasty = stack.with_limits(min_version_wait=0.3)
    query = "query ($h: Hash!, $v: Version!) { message(contentHash: $h, minVersion: $v) { status } }"
    for content_hash in (story.pending.hash, "cd" * 32):
        for version in (1, 99):
            begun = time.monotonic()
            assert await hasty.ask(query, story.eve.key, h=content_hash, v=version) == {"message": None}
            assert 0.25 < time.monotonic() - begun < Limits().min_version_wait
    seen = await hasty.ask(query, story.dan.key, h=story.pending.hash, v=story.version)
    assert seen == {"message": {"status": "PENDING"}}
    assert (await hasty.run(query, story.dan.key, h=story.pending.hash, v=99)).codes == ["VERSION_NOT_REACHED"]


async def test_without_the_content_store_only_texts_are_missing(stack: Stack, story: Story) -> None:
    """Bodies are UNAVAILABLE, search is null with an error that names the authority, the rest is answered."""
    stack.content.away = True
    query = """query ($t: Hash!) { search(query: "bridges") { nodes { id } }
      thread(threadId: $t) { title titleState version messages(last: 1) {
        nodes { body salt contentState status } } } }"""
    answer = await stack.run(query, t=story.thread_id)
    assert answer.codes == ["AUTHORITY_UNAVAILABLE"]
    assert answer.errors[0]["extensions"]["authority"] == "QDRANT"
    assert answer.errors[0]["path"] == ["search"]
    thread = answer.data["thread"]
    assert (thread["title"], thread["titleState"], thread["version"]) == (None, "UNAVAILABLE", story.version)
    expected = {"body": None, "salt": None, "contentState": "UNAVAILABLE", "status": "PUBLISHED"}
    assert thread["messages"]["nodes"] == [expected]


async def test_without_the_chain_each_root_is_null_with_its_error(stack: Stack, story: Story) -> None:
    """One dead authority blanks what it owns, and names itself."""
    await stack.facts.token()
    stack.chain.away = True
    query = """query ($t: Hash!, $who: Pubkey!) { viewer { address lamports } threads { nodes { id } }
      thread(threadId: $t) { id } pendingApprovals(voter: $who) { nodes { id } } chain { slot } protocol { id } }"""
    answer = await stack.run(query, story.ben.key, t=story.thread_id, who=story.ben.key)
    assert set(answer.codes) == {"AUTHORITY_UNAVAILABLE"}
    assert {error["extensions"]["authority"] for error in answer.errors} == {"SOLANA"}
    assert answer.data.pop("viewer") == {"address": story.ben.key, "lamports": None}
    assert set(answer.data.values()) == {None}
    assert len(answer.errors) == 6
    query = "query ($ids: [ID!]!) { viewer { address } nodes(ids: $ids) { id } }"
    ids = [f"Thread:{story.thread_id}", f"User:{story.ben.key}", f"Message:{story.posts[0].hash}", "Nothing:1"]
    answer = await stack.run(query, story.ben.key, ids=ids)
    assert answer.data == {"viewer": {"address": story.ben.key}, "nodes": [None, {"id": ids[1]}, None, None]}
    assert sorted(error["path"] for error in answer.errors) == [["nodes", 0], ["nodes", 2]]
    assert set(answer.codes) == {"AUTHORITY_UNAVAILABLE"}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ('{ thread(threadId: "ABCD") { id } }', "Hash"),
        ("{ thread(threadId: 5) { id } }", "Hash"),
        ('{ user(address: "0OIl") { id } }', "Pubkey"),
        ('{ stateUpdate(signature: "1111") { outcome } }', "Signature"),
        ('{ threads(after: "") { nodes { id } } }', "Cursor"),
        ('{ thread(threadId: "%s", minVersion: -1) { id } }' % ("ab" * 32), "Version"),
        ('{ search(query: "x", filter: {submittedAfter: "yesterday"}) { nodes { id } } }', "DateTime"),
    ],
)
async def test_malformed_scalars_name_themselves_and_the_cure(stack: Stack, query: str, named: str) -> None:
    """Literals and variables alike: nothing runs, and the message says what is wrong."""
    answer = await stack.run(query)
    assert answer.data is None
    assert answer.codes == ["INVALID_INPUT"]
    assert f"is not a {named}" in answer.errors[0]["message"] and "Send " in answer.errors[0]["message"]


async def test_malformed_variables_name_the_variable(stack: Stack) -> None:
    """The client's own name for the value is in the message."""
    answer = await stack.run("query ($h: Hash!) { message(contentHash: $h) { id } }", h="XYZ")
    assert answer.codes == ["INVALID_INPUT"]
    assert "$h" in answer.errors[0]["message"]


async def test_oversized_documents_are_refused(stack: Stack) -> None:
    """Too deep, too many aliases, too many tokens."""
    deep = "{ viewer " + "{ threads { nodes { creator " * 5 + "{ id }" + " } } }" * 5 + " }"
    wide = "{ " + " ".join(f"a{number}: viewer {{ id }}" for number in range(31)) + " }"
    long = "{ " + "__typename " * 4_001 + "}"
    for document in (deep, wide, long):
        answer = await stack.run(document)
        assert answer.data is None and len(answer.errors) == 1
