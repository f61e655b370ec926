"""Whoever has bytes that are missing or corrupt may supply them: the hash proves them, and nothing else is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest
import pytest_asyncio

from chorale.checking.client_reports import ClientReports
from chorale.domain.conflict import ConflictCause, Settlement
from chorale.domain.content import Content
from chorale.domain.cursors import event_cursor
from chorale.domain.events import EventKind, EventPosition
from chorale.reconcile import Reconciler
from chorale.reconciliation.resolvers import open_resolvers
from datasources.cache.entities_memory import MemoryEntities
from datasources.qdrant.repairs import nobody
from tests.graphql.stack import Answer, Stack
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Draft, Parts
from tests.stack import unique

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ana(parts: Parts) -> Actor:
    return Actor(parts.running, await parts.running.wallet())


RESTORE = """
mutation Restore($input: RestoreContentInput!) {
  restoreContent(input: $input) {
    __typename
    ... on RestoreContentSuccess {
      restored clientMutationId cursor thread { threadId title titleState } message { contentHash body contentState }
    }
    ... on ContentMismatch { code expected actual }
    ... on Problem { code explanation retryable }
    ... on InvalidInput { field }
  }
}"""
READ = "query($hash: Hash!) { message(contentHash: $hash) { body contentState salt } }"
SEARCH = "query($text: String!, $mode: SearchMode) { search(query: $text, mode: $mode) { nodes { contentHash } } }"
EVERYWHERE = """
query($hash: Hash!, $thread: Hash!, $text: String!, $other: String!) {
  message(contentHash: $hash) { body salt contentState proof { leafIndex } }
  thread(threadId: $thread) { messages(first: 5) { nodes { body salt contentState } } }
  search(query: $text) { edges { node { contentHash body } highlights { text } } }
  others: search(query: $other) { edges { node { contentHash body } highlights { text } } }
}"""
EVENTS = """
subscription($threadId: Hash!, $after: Cursor) { threadEvents(threadId: $threadId, after: $after) {
  __typename cursor
  ... on ContentRestored { message { contentHash body } }
  ... on MessagePublished { message { contentHash body } } } }"""


async def new_thread(parts: Parts, actor: Actor, title: str = "On rivers") -> Draft:
    draft = actor.thread(title)
    await parts.stage(draft.content)
    await parts.projector.settle(draft.content.key.thread_id, await actor.send(draft.instruction))
    return draft


async def lacking(parts: Parts, actor: Actor, thread_id: str, body: str) -> Draft:
    """A message that a wallet sent straight to the RPC: its hash is on chain, its bytes are nowhere."""
    draft = actor.post(thread_id, body)
    await parts.projector.settle(thread_id, await actor.send(draft.instruction))
    return draft


async def corrupt(parts: Parts, content: Content, damage: dict[str, Any]) -> None:
    """Write past everything, straight into the point."""
    id, engine = parts.content._identity.point_id(content.key), parts.content._engine
    await engine.call(lambda: engine.client.set_payload(parts.content._identity.name, damage, [id], wait=True))


async def vectors(parts: Parts, content: Content) -> object:
    """What the engine holds of the point's vectors."""
    id, engine = parts.content._identity.point_id(content.key), parts.content._engine
    name = parts.content._identity.name
    [record] = await engine.call(lambda: engine.client.retrieve(name, [id], with_vectors=True))
    return record.vector or {}


def equipped(stack: Stack) -> Reconciler:
    """The stack's reconciler with the server's resolvers."""
    parts, limits = stack.parts, stack.limits
    stack.reconciler.equip(
        open_resolvers(
            parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.corrections,
            MemoryEntities(limits), ClientReports(limits), limits,
        )
    )  # fmt: skip
    return stack.reconciler


@asynccontextmanager
async def working(reconciler: Reconciler) -> AsyncIterator[None]:
    """What is found is worked on inside the block."""
    task = asyncio.create_task(reconciler.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def searched(stack: Stack, text: str, viewer: str | None = None) -> Any:
    return (await stack.ask(SEARCH, viewer, text=text))["search"]["nodes"]


async def next_event(stack: Stack, thread_id: str, after: str) -> Any:
    """The first event behind a cursor."""
    stream = cast("AsyncGenerator[Answer, None]", stack.stream(EVENTS, threadId=thread_id, after=after))
    async with asyncio.timeout(PATIENCE), aclosing(stream):
        return (await anext(stream)).data["threadEvents"]


async def restore(stack: Stack, draft: Draft, viewer: str | None = None, **changes: Any) -> Any:
    given = {"contentHash": draft.hash, "text": draft.content.body, "salt": draft.content.salt, **changes}
    return (await stack.ask(RESTORE, viewer, input=given))["restoreContent"]


async def test_missing_bytes_are_restored_by_anybody_and_announced_once(stack: Stack, parts: Parts, ana: Actor) -> None:
    """MISSING becomes AVAILABLE, searchable and told, once; wrong bytes change nothing; again is no second event."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    body = unique("Ferries stop when the ice is thick enough to walk on")
    draft = await lacking(parts, ana, thread_id, body)
    message = (await stack.ask(READ, hash=draft.hash))["message"]
    assert message == {"body": None, "contentState": "MISSING", "salt": None}

    wrong = await restore(stack, draft, text=body + ".")
    assert wrong["__typename"] == "ContentMismatch" and wrong["expected"] != wrong["actual"]
    assert (await restore(stack, draft, salt="00" * 32))["__typename"] == "ContentMismatch"
    assert (await stack.ask(READ, hash=draft.hash))["message"]["contentState"] == "MISSING"

    after = event_cursor(await parts.index.latest(thread_id))
    done = await restore(stack, draft, clientMutationId="mine")
    assert done["__typename"] == "RestoreContentSuccess", done
    assert (done["restored"], done["clientMutationId"]) == (True, "mine")
    assert done["message"] == {"contentHash": draft.hash, "body": body, "contentState": "AVAILABLE"}
    event = await next_event(stack, thread_id, after)
    assert event == {
        "__typename": "ContentRestored",
        "cursor": done["cursor"],
        "message": {"contentHash": draft.hash, "body": body},
    }
    for mode in ("HYBRID", "TEXT", "SEMANTIC"):
        nodes = (await stack.ask(SEARCH, text=body, mode=mode))["search"]["nodes"]
        assert nodes[0]["contentHash"] == draft.hash

    again = await restore(stack, draft)
    assert (again["__typename"], again["restored"], again["cursor"]) == ("RestoreContentSuccess", False, None)
    records = stack.reconciler.log.before(None, 10)
    assert [(record.conflict.cause, record.settlement) for record in records] == [
        (ConflictCause.CONTENT_MISSING, Settlement.RESOLVED)
    ]


async def test_corrupt_bytes_are_served_nowhere_and_replaced_by_the_right_ones(
    stack: Stack, parts: Parts, ana: Actor
) -> None:
    """Not by reads, searches, highlights, events or proofs; vectors go once it was met, and come with the bytes."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    body = unique("Eels cross wet meadows on warm nights")
    draft = ana.post(thread_id, body)
    await parts.stage(draft.content)
    before = event_cursor(await parts.index.latest(thread_id))
    await parts.projector.settle(thread_id, await ana.send(draft.instruction))
    secret = "Words that nobody signed"
    for damage in ({"body": secret}, {"salt": "11" * 32}, {"body": None}, {"author": draft.content.salt}):
        await corrupt(parts, draft.content, damage)
        served = await stack.ask(EVERYWHERE, hash=draft.hash, thread=thread_id, text=body, other=secret)
        message = {"body": None, "salt": None, "contentState": "QUARANTINED"}
        assert served["message"] == {**message, "proof": {"leafIndex": 0}}
        assert served["thread"]["messages"]["nodes"] == [message]
        assert draft.hash not in [edge["node"]["contentHash"] for edge in served["search"]["edges"]]
        assert draft.hash not in [edge["node"]["contentHash"] for edge in served["others"]["edges"]]
        told = await next_event(stack, thread_id, before)
        assert told["message"] == {"contentHash": draft.hash, "body": None}
        assert secret not in str((served, told))

        async with working(equipped(stack)):
            await stack.ask(READ, hash=draft.hash)
            async with asyncio.timeout(PATIENCE):
                await stack.reconciler.drained()
        [record] = stack.reconciler.log.before(None, 1)
        assert (record.conflict.cause, record.settlement) == (ConflictCause.CONTENT_CORRUPT, Settlement.QUARANTINED)
        assert await vectors(parts, draft.content) == {}
        assert (await restore(stack, draft, text=secret))["__typename"] == "ContentMismatch"

        done = await restore(stack, draft)
        assert (done["__typename"], done["restored"]) == ("RestoreContentSuccess", True), done
        nodes = (await stack.ask(SEARCH, text=body))["search"]["nodes"]
        assert nodes[0]["contentHash"] == draft.hash
    counted = [record.settlement for record in stack.reconciler.log.before(None, 100)]
    assert counted == [Settlement.RESOLVED, Settlement.QUARANTINED] * 4


async def test_a_corrupt_hit_is_met_by_the_search_itself(stack: Stack, parts: Parts, ana: Actor) -> None:
    """Nobody has to read the message first."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    body = unique("Lamplighters kept the hours of a whole town")
    draft = ana.post(thread_id, body)
    await parts.stage(draft.content)
    await parts.projector.settle(thread_id, await ana.send(draft.instruction))
    await corrupt(parts, draft.content, {"body": "other words"})
    parts.content._met = stack.reconciler.met
    try:
        async with working(equipped(stack)):
            assert (await stack.ask(SEARCH, text=body, mode="TEXT"))["search"]["nodes"] == []
            async with asyncio.timeout(PATIENCE):
                await stack.reconciler.drained()
    finally:
        parts.content._met = nobody
    [record] = stack.reconciler.log.before(None, 1)
    assert (record.conflict.subject, record.settlement) == (f"Message:{draft.hash}", Settlement.QUARANTINED)
    assert await vectors(parts, draft.content) == {}


async def test_a_title_is_restored(stack: Stack, parts: Parts, ana: Actor) -> None:
    """Missing or corrupt; another title is refused."""
    draft = ana.thread(unique("A title that was lost"))
    thread_id = draft.content.key.thread_id
    await parts.projector.settle(thread_id, await ana.send(draft.instruction))
    title = {"contentHash": None, "threadId": thread_id}
    query = "query($id: Hash!) { thread(threadId: $id) { title titleState } }"
    assert (await stack.ask(query, id=thread_id))["thread"] == {"title": None, "titleState": "MISSING"}
    assert (await restore(stack, draft, **title, text="Another"))["__typename"] == "ContentMismatch"
    for _ in range(2):
        done = await restore(stack, draft, **title)
        assert (done["restored"], done["thread"]["title"]) == (True, draft.content.body)
        assert done["message"] is None and done["cursor"] is None
        again = await restore(stack, draft, **title)
        assert (again["__typename"], again["restored"]) == ("RestoreContentSuccess", False)
        await corrupt(parts, draft.content, {"body": "Another"})
        assert (await stack.ask(query, id=thread_id))["thread"] == {"title": None, "titleState": "QUARANTINED"}


async def test_of_a_hidden_message_only_the_right_bytes_learn_anything(stack: Stack, parts: Parts, ana: Actor) -> None:
    """Wrong bytes for a pending message look like no message; the right ones restore it, and show it to none but its
    circle."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    ben = Actor(parts.running, await parts.running.wallet())
    draft = ben.submit(thread_id, unique("A submission without its bytes"))
    await parts.projector.settle(thread_id, await ben.send(draft.instruction))
    wrong = await restore(stack, draft, text="Guess")
    absent = await restore(stack, draft, contentHash="ab" * 32, text="Guess")
    assert wrong == absent and wrong["__typename"] == "NotFound"
    assert (await restore(stack, draft, viewer=ben.key, text="Guess"))["__typename"] == "ContentMismatch"
    done = await restore(stack, draft)
    assert (done["__typename"], done["restored"], done["message"]) == ("RestoreContentSuccess", True, None)
    assert (await stack.ask(READ, hash=draft.hash))["message"] is None
    assert (await stack.ask(READ, ben.key, hash=draft.hash))["message"]["body"] == draft.content.body
    assert draft.hash not in [node["contentHash"] for node in await searched(stack, draft.content.body)]
    assert draft.hash in [node["contentHash"] for node in await searched(stack, draft.content.body, ana.key)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threadId": "ab" * 32}, "contentHash"),
        ({"contentHash": None}, "contentHash"),
        ({"text": " "}, "text"),
        ({"text": "x" * (16 * 1024 + 1)}, "text"),
        ({"clientMutationId": "x" * 1000}, "clientMutationId"),
    ],
)
async def test_what_cannot_be_text_or_name_is_refused(stack: Stack, ana: Actor, changes: Any, field: str) -> None:
    draft = ana.post("ab" * 32, "Text")
    answer = await restore(stack, draft, **changes)
    assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)


async def test_many_who_restore_at_once_make_one_event(stack: Stack, parts: Parts, ana: Actor) -> None:
    """Each is answered with success, and subscribers hear of it once."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    draft = await lacking(parts, ana, thread_id, unique("One of many"))
    done = await asyncio.gather(*(restore(stack, draft) for _ in range(6)))
    assert {each["__typename"] for each in done} == {"RestoreContentSuccess"}
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 100)
    assert [event.kind for event in batch.events].count(EventKind.CONTENT_RESTORED) == 1


async def test_a_restoring_that_was_cut_off_is_told_by_the_next(stack: Stack, parts: Parts, ana: Actor) -> None:
    """The bytes were stored, and nothing more: the same call again promotes and announces them."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    draft = await lacking(parts, ana, thread_id, unique("Half done"))
    await parts.content.restore(draft.content, lease_until=2**40, now=1_700_000_000)
    done = await restore(stack, draft)
    assert (done["restored"], done["message"]["contentState"]) == (False, "AVAILABLE")
    assert done["cursor"] is not None
    assert draft.hash == (await searched(stack, draft.content.body))[0]["contentHash"]
