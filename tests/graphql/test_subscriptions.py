"""Subscribers get what happens, once and in order, as far as they may see it, with entities as they are now."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio

from chorale.auth import SignIn, Viewer
from chorale.state_update import StateUpdates
from datasources.cache.sessions import open_sessions
from tests.graphql.stack import Answer, Stack, Story
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENTS = """subscription ($t: Hash!, $after: Cursor) { threadEvents(threadId: $t, after: $after) {
  __typename cursor threadId version slot occurredAt signature thread { version title }
  ... on MessageSubmitted { message { ...m } } ... on MessagePublished { message { ...m } }
  ... on MessageDecided { message { ...m } } ... on VoteCast { message { ...m } vote { voter { address } approve } }
  ... on CoAuthorJoined { user { address } } ... on Gap { reason } } }
  fragment m on Message { contentHash status body }"""
CURSOR = "query ($t: Hash!) { thread(threadId: $t) { eventCursor version } }"


class Reader:
    """Reads a subscription in a task of its own."""

    def __init__(self, answers: AsyncIterator[Answer]) -> None:
        self._queue: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._read(answers))

    async def _read(self, answers: AsyncIterator[Answer]) -> None:
        async for answer in answers:
            self._queue.put_nowait(answer)
        self._queue.put_nowait(None)

    async def answer(self) -> Answer | None:
        """The next result, None at the end."""
        return await asyncio.wait_for(self._queue.get(), PATIENCE)

    async def events(self, number: int) -> list[dict[str, Any]]:
        """The next events, which must come without errors."""
        found = []
        for _ in range(number):
            answer = await self.answer()
            assert answer is not None and answer.errors == [], answer
            found.append(answer.data["threadEvents"])
        return found

    async def close(self) -> None:
        """Unsubscribe."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["__typename"] for event in events]


async def actors(parts: Parts, number: int) -> list[Actor]:
    return [Actor(parts.running, await parts.running.wallet()) for _ in range(number)]


async def open_thread(parts: Parts, author: Actor) -> str:
    thread = author.thread("Live")
    await parts.stage(thread.content)
    await author.send(thread.instruction)
    assert await parts.index.wait_for(thread.content.key.thread_id, 1, PATIENCE)
    return thread.content.key.thread_id


async def test_live_events_carry_current_entities(stack: Stack) -> None:
    """A submission, its vote and its publication arrive as they happen, past the server, with body and signature."""
    parts = stack.parts
    ana, ben = await actors(parts, 2)
    thread_id = await open_thread(parts, ana)
    reader = Reader(stack.stream(EVENTS, ana.key, t=thread_id))
    await asyncio.sleep(0.05)
    draft = ben.submit(thread_id, "A live submission.")
    await parts.stage(draft.content)
    submitted = await ben.send(draft.instruction)
    (event,) = await reader.events(1)
    assert (event["__typename"], event["version"], event["signature"]) == ("MessageSubmitted", 2, submitted)
    assert event["message"] == {"contentHash": draft.hash, "status": "PENDING", "body": "A live submission."}
    assert event["thread"] == {"version": 2, "title": "Live"}
    voted = await ana.send(ana.vote(thread_id, draft.hash, approve=True))
    events = await reader.events(3)
    assert kinds(events) == ["VoteCast", "MessagePublished", "CoAuthorJoined"]
    assert {event["signature"] for event in events} == {voted}
    assert {event["version"] for event in events} == {3}
    assert events[0]["vote"] == {"voter": {"address": ana.key}, "approve": True}
    assert events[0]["message"]["status"] == "PUBLISHED"  # as it is now
    assert events[2]["user"] == {"address": ben.key}
    assert len({event["cursor"] for event in events}) == 3
    await reader.close()


async def test_a_cursor_resumes_without_loss_or_repetition(stack: Stack) -> None:
    """From a snapshot's eventCursor, and behind every single event, the rest follows exactly."""
    parts = stack.parts
    ana, ben = await actors(parts, 2)
    thread_id = await open_thread(parts, ana)
    snapshot = (await stack.ask(CURSOR, t=thread_id))["thread"]["eventCursor"]
    draft = ben.submit(thread_id, "Resumed.")
    await parts.stage(draft.content)
    await ben.send(draft.instruction)
    await ana.send(ana.vote(thread_id, draft.hash, approve=True))
    reader = Reader(stack.stream(EVENTS, ana.key, t=thread_id, after=snapshot))
    events = await reader.events(4)
    await reader.close()
    assert kinds(events) == ["MessageSubmitted", "VoteCast", "MessagePublished", "CoAuthorJoined"]
    for number, event in enumerate(events[:-1]):
        resumed = Reader(stack.stream(EVENTS, ana.key, t=thread_id, after=event["cursor"]))
        assert await resumed.events(3 - number) == events[number + 1 :]
        await resumed.close()


async def test_subscribers_see_only_their_own_part(stack: Stack) -> None:
    """Until it is published, a stranger hears nothing of a submission; then of all that led to it."""
    parts = stack.parts
    ana, ben, eve = await actors(parts, 3)
    thread_id = await open_thread(parts, ana)
    start = (await stack.ask(CURSOR, t=thread_id))["thread"]["eventCursor"]
    stranger = Reader(stack.stream(EVENTS, eve.key, t=thread_id, after=start))
    nobody = Reader(stack.stream(EVENTS, None, t=thread_id, after=start))
    author = Reader(stack.stream(EVENTS, ben.key, t=thread_id, after=start))
    hidden, shown = ben.submit(thread_id, "Denied at once."), ana.post(thread_id, "For everyone.")
    for actor, draft in ((ben, hidden), (ana, shown)):
        await parts.stage(draft.content)
        await actor.send(draft.instruction)
    await ana.send(ana.vote(thread_id, hidden.hash, approve=False))
    assert kinds(await author.events(4)) == ["MessageSubmitted", "MessagePublished", "VoteCast", "MessageDecided"]
    for reader in (stranger, nobody):
        (event,) = await reader.events(1)
        assert event["message"]["contentHash"] == shown.hash
    last = ana.post(thread_id, "The end.")
    await parts.stage(last.content)
    await ana.send(last.instruction)
    for reader in (stranger, nobody, author):
        (event,) = await reader.events(1)  # nothing in between
        assert event["message"]["contentHash"] == last.hash
        await reader.close()


async def test_a_snapshot_and_its_stream_join_without_a_hole(stack: Stack) -> None:
    """Taken while posting goes on: the snapshot's version and the stream behind its cursor follow each other."""
    parts = stack.parts
    (ana,) = await actors(parts, 1)
    thread_id = await open_thread(parts, ana)

    async def write() -> None:
        for number in range(5):
            draft = ana.post(thread_id, f"Number {number}.")
            await parts.stage(draft.content)
            await ana.send(draft.instruction)

    writing = asyncio.create_task(write())
    while not writing.done():
        snapshot = (await stack.ask(CURSOR, t=thread_id))["thread"]
        if snapshot["version"] < 6:
            reader = Reader(stack.stream(EVENTS, None, t=thread_id, after=snapshot["eventCursor"]))
            (event,) = await reader.events(1)
            # The cursor may lie before the snapshot's version, never behind it.
            assert event["version"] <= snapshot["version"] + 1
            await reader.close()
    await writing


async def test_pages_within_events_bear_quick_posts(stack: Stack) -> None:
    """While 20 posts follow each other, every event's thread has a page of its version: as many posts as it counts."""
    parts = stack.parts
    (ana,) = await actors(parts, 1)
    thread_id = await open_thread(parts, ana)
    reader = Reader(
        stack.stream(
            """subscription ($t: Hash!) { threadEvents(threadId: $t) { thread { version
              messages(first: 100) { nodes { version submittedVersion } pageInfo { hasNextPage } } } } }""",
            None,
            t=thread_id,
        )
    )
    await asyncio.sleep(0.05)
    for number in range(20):
        draft = ana.post(thread_id, f"Number {number}.")
        await parts.stage(draft.content)
        await ana.send(draft.instruction)
    for event in await reader.events(20):
        version, page = event["thread"]["version"], event["thread"]["messages"]
        expected = [{"version": version, "submittedVersion": number} for number in range(2, version + 1)]
        assert page == {"nodes": expected, "pageInfo": {"hasNextPage": False}}
    await reader.close()


async def test_lost_history_is_said(stack: Stack, story: Story) -> None:
    """A log with a missing stretch, as after pruning, gives one Gap to refetch at, and goes on behind it."""
    index = stack.parts.index
    everything = await index.latest(story.thread_id)
    start = replace(everything, position=0, sequence=0, ordinal=0)

    class Pruned:
        """The real index, whose first batch says that what came before is gone."""

        def __getattr__(self, name: str) -> Any:
            return getattr(index, name)

        async def events_after(self, thread_id: str, after: Any, limit: int) -> Any:
            batch = await index.events_after(thread_id, after, limit)
            if after == start:
                kept = tuple(event for event in batch.events if event.sequence >= 8)
                return replace(batch, events=kept, gap="TRIMMED")
            return batch

    from chorale.domain.cursors import event_cursor

    context = stack.context(story.ana.key)
    context.index = cast("Any", Pruned())
    stream = await stack.schema.subscribe(
        EVENTS, variable_values={"t": story.thread_id, "after": event_cursor(start)}, context_value=context
    )

    async def answers() -> AsyncIterator[Answer]:
        async for result in stream:
            assert result.errors is None
            yield Answer(result.data, [])

    reader = Reader(answers())
    gap, first = await reader.events(2)
    await reader.close()
    assert (gap["__typename"], gap["reason"], gap["thread"]["version"]) == ("Gap", "TRIMMED", story.version)
    resumed = Reader(stack.stream(EVENTS, story.ana.key, t=story.thread_id, after=gap["cursor"]))
    assert await resumed.events(1) == [first]
    await resumed.close()


async def test_wrong_subscriptions_are_errors(stack: Stack, story: Story) -> None:
    """An unknown thread, a malformed cursor and another thread's cursor end the operation with their code."""
    (ana,) = await actors(stack.parts, 1)
    other = await open_thread(stack.parts, ana)
    foreign = (await stack.ask(CURSOR, t=other))["thread"]["eventCursor"]
    for variables, code in (
        ({"t": "ab" * 32}, "NOT_FOUND"),
        ({"t": story.thread_id, "after": "bm9wZQ"}, "INVALID_INPUT"),
        ({"t": story.thread_id, "after": foreign}, "INVALID_INPUT"),
    ):
        reader = Reader(stack.stream(EVENTS, **variables))
        answer = await reader.answer()
        assert answer is not None and answer.codes == [code]
        assert await reader.answer() is None


async def test_an_ended_session_ends_its_stream(stack: Stack, tmp_path: Path) -> None:
    """Signed out or expired: the next event is not delivered, UNAUTHENTICATED is."""
    parts = stack.parts
    (ana,) = await actors(parts, 1)
    thread_id = await open_thread(parts, ana)
    async with open_sessions("memory:", tmp_path / "sessions.sqlite3") as sessions:
        sign_in = SignIn(sessions, "localhost", "http://localhost", "solana:localnet", stack.limits)
        session = await sign_in.open_session(ana.key)

        async def answers(viewer: Viewer) -> AsyncIterator[Answer]:
            context = stack.context()
            context.viewer, context.request_token, context.sign_in = viewer, session.token, sign_in
            source = await stack.schema.subscribe(EVENTS, {"t": thread_id}, context)
            async for result in source:
                from resolvers.transport.errors import formatted

                yield Answer(result.data, formatted(result.errors or []))

        signed_out = Reader(answers(Viewer(ana.key, int(time.time()) + 60)))
        expiring = Reader(answers(Viewer(ana.key, int(time.time()) + 2)))
        await asyncio.sleep(0.05)
        await sign_in.sign_out(session.token)
        draft = ana.post(thread_id, "Too late for you.")
        await parts.stage(draft.content)
        await ana.send(draft.instruction)
        for reader in (signed_out, expiring):
            answer = await reader.answer()
            assert answer is not None and answer.codes == ["UNAUTHENTICATED"]
            assert await reader.answer() is None


@pytest_asyncio.fixture(loop_scope="session")
async def updates(stack: Stack, tmp_path: Path) -> AsyncIterator[StateUpdates]:
    parts = stack.parts
    async with open_sessions("memory:", tmp_path / "sessions.sqlite3") as sessions:
        opened = StateUpdates(parts.chain, parts.content, parts.embedder, parts.projector, sessions, stack.limits)
        yield opened
        await opened.close()


async def test_an_update_is_followed_to_its_end(stack: Stack, updates: StateUpdates) -> None:
    """`stateUpdate` shows four steps at every change and ends after the final outcome; the query agrees with it."""
    parts = stack.parts
    (ana,) = await actors(parts, 1)
    thread = ana.thread("Followed")
    signed = await parts.running.sign([thread.instruction], [ana.keypair])
    from chorale.domain.commands import CreateThread
    from programs.transactions import decode_transaction

    signature = decode_transaction(signed, parts.running.program_id).signature
    context = stack.context(ana.key)
    context.updates = updates
    fields = "signature outcome slot cursor clientMutationId steps { name state durationMs }"
    source = await stack.schema.subscribe(
        f"subscription ($s: Signature!) {{ stateUpdate(signature: $s) {{ {fields} }} }}", {"s": signature}, context
    )
    seen: list[dict[str, Any]] = []

    async def follow() -> None:
        async for result in source:
            assert result.errors is None
            seen.append(result.data["stateUpdate"])

    following = asyncio.create_task(follow())
    await asyncio.sleep(0.05)
    command = CreateThread(
        signed_transaction=signed, title=thread.content.body, salt=thread.content.salt, client_mutation_id="mine"
    )
    await updates.run(command)
    await asyncio.wait_for(following, PATIENCE)
    assert seen[-1]["outcome"] == "VERIFIED"
    assert [step["name"] for step in seen[-1]["steps"]] == [
        "UPDATE_AUTHORITY", "AWAIT_CONFIRMATION", "PROPAGATE", "VERIFY",
    ]  # fmt: skip
    assert {step["state"] for step in seen[-1]["steps"]} == {"DONE"}
    assert all(len(state["steps"]) == 4 for state in seen) and len(seen) > 1
    result = await stack.schema.execute(
        f"query ($s: Signature!) {{ stateUpdate(signature: $s) {{ {fields} }} }}", {"s": signature}, context
    )
    assert result.data is not None and result.data["stateUpdate"] == seen[-1]
    thread_id = thread.content.key.thread_id
    late = Reader(stack.stream(EVENTS, ana.key, t=thread_id, after=seen[-1]["cursor"]))
    post = ana.post(thread_id, "Behind the cursor.")
    await parts.stage(post.content)
    await ana.send(post.instruction)
    assert kinds(await late.events(1)) == ["MessagePublished"]
    await late.close()
