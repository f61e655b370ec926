"""Whoever has the bytes that are missing or corrupt may supply them: the hash proves them, and nothing else is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import pytest
import pytest_asyncio

from chorale.domain.conflict import ConflictCause, Settlement
from chorale.domain.content import Content
from chorale.domain.cursors import event_cursor
from tests.graphql.stack import Answer, Stack
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
EVENTS = """
subscription($threadId: Hash!, $after: Cursor) { threadEvents(threadId: $threadId, after: $after) {
  __typename cursor ... on ContentRestored { message { contentHash body } } } }"""


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


async def next_event(stack: Stack, thread_id: str, after: str) -> Any:
    """The first event behind a cursor."""
    stream = cast("AsyncGenerator[Answer, None]", stack.stream(EVENTS, threadId=thread_id, after=after))
    async with asyncio.timeout(20), aclosing(stream):
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
