"""A command goes through all four steps and ends VERIFIED; whoever reads from then on sees it everywhere."""

from __future__ import annotations

import asyncio

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.commands import CreateThread, UpdateResult
from chorale.domain.content import ContentKey, ContentKind, SearchCriteria, SearchMode
from chorale.domain.cursors import event_position
from chorale.domain.events import EventKind, EventPosition
from chorale.domain.updates import Outcome, StepName, StepState, UpdateState
from tests.chains import signature_of
from tests.patience import PATIENCE
from tests.spine.desk import Desk
from tests.spine.parts import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")


def check_verified(result: UpdateResult) -> None:
    assert result.update.outcome is Outcome.VERIFIED
    assert [step.name for step in result.update.steps] == list(StepName)
    assert all(step.state is StepState.DONE and (step.duration_ms or 0) > 0 for step in result.update.steps)
    assert result.update.slot is not None
    assert result.slot >= result.update.slot


async def test_create_post_submit_and_vote_are_verified(desk: Desk, ana: Actor, ben: Actor) -> None:
    parts = desk.parts
    draft = ana.thread("On rivers")
    thread_id = draft.content.key.thread_id
    created = await desk.run(
        CreateThread(
            signed_transaction=await desk.sign(ana, draft),
            title="On rivers",
            salt=draft.content.salt,
            client_mutation_id="mine",
        )
    )
    check_verified(created)
    assert created.update.client_mutation_id == "mine"
    assert (created.wallet, created.thread_id, created.content_hash) == (ana.key, thread_id, None)
    assert created.thread is not None
    assert (created.thread.sequence, created.message) == (1, None)
    title = (await parts.content.fetch([draft.content.key]))[draft.content.key].stored
    assert title is not None
    assert (title.body, title.status) == ("On rivers", MessageStatus.PUBLISHED)

    post = ana.post(thread_id, "A river is a story told by rain.")
    posted = await desk.run(await desk.posting(ana, post))
    check_verified(posted)
    assert posted.message is not None
    assert (posted.content_hash, posted.message.status) == (post.hash, MessageStatus.PUBLISHED)

    submission = ben.submit(thread_id, "Deltas are where it forgets the ending.")
    submitted = await desk.run(await desk.submission(ben, submission))
    check_verified(submitted)
    assert submitted.message is not None
    assert submitted.message.status is MessageStatus.PENDING

    voted = await desk.run(await desk.ballot(ana, thread_id, submission.hash, approve=True))
    check_verified(voted)
    assert voted.message is not None
    assert voted.thread is not None
    assert (voted.message.status, voted.wallet) == (MessageStatus.PUBLISHED, ana.key)
    assert voted.thread.has_co_author(ben.key)
    assert voted.message.sequence <= voted.thread.sequence == 4

    hits = await parts.content.search(
        SearchCriteria("forgetting deltas", SearchMode.HYBRID, None, ()),
        await parts.embedder.embed_query("forgetting deltas"),
        5,
    )
    assert submission.hash in [hit.content.key.hash for hit in hits]

    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 100)
    kinds = [event.kind for event in batch.events]
    assert kinds == [
        EventKind.THREAD_CREATED,
        EventKind.UPDATE_VERIFIED,
        EventKind.MESSAGE_PUBLISHED,
        EventKind.UPDATE_VERIFIED,
        EventKind.MESSAGE_SUBMITTED,
        EventKind.UPDATE_VERIFIED,
        EventKind.VOTE_CAST,
        EventKind.MESSAGE_PUBLISHED,
        EventKind.CO_AUTHOR_JOINED,
        EventKind.UPDATE_VERIFIED,
    ]
    assert batch.events[-1].signature == voted.update.signature
    assert voted.update.cursor is not None
    behind = await parts.index.events_after(thread_id, event_position(voted.update.cursor), 100)
    assert behind.events == ()


async def test_an_update_is_followed_from_before_it_is_sent_to_its_end(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("Followed")
    signed = await desk.sign(ana, draft)
    signature = signature_of(signed)
    assert await desk.updates.state(signature) is None
    seen: list[UpdateState] = []

    async def follow() -> None:
        async for state in desk.updates.follow(signature):
            seen.append(state)

    following = asyncio.create_task(follow())
    result = await desk.run(CreateThread(signed_transaction=signed, title="Followed", salt=draft.content.salt))
    await asyncio.wait_for(following, PATIENCE)
    assert seen[-1].outcome is Outcome.VERIFIED
    assert all(len(state.steps) == 4 for state in seen)
    assert await desk.updates.state(signature) == result.update


async def test_a_transaction_sent_past_this_server_is_followed_too(desk: Desk, ana: Actor) -> None:
    await desk.create(ana)
    draft = ana.thread("Past this server")
    await desk.parts.stage(draft.content)
    signed = await desk.sign(ana, draft)
    signature = signature_of(signed)
    states: list[UpdateState] = []

    async def follow() -> None:
        async for state in desk.updates.follow(signature):
            states.append(state)

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    assert await desk.running.send_raw(signed) == signature
    await asyncio.wait_for(following, PATIENCE)
    assert states[-1].outcome is Outcome.VERIFIED
    thread_id = draft.content.key.thread_id
    assert await desk.parts.index.thread_sequence(thread_id) == 1
    batch = await desk.parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 100)
    assert [event.kind for event in batch.events] == [EventKind.THREAD_CREATED]
    # And by a query alone, in a server that has forgotten it.
    known = await desk.updates.state(await ana.send(ana.thread("Unseen").instruction))
    assert known is not None
    assert known.outcome is Outcome.CONFIRMED


async def test_a_vote_on_a_message_without_bytes_is_verified_with_a_remark(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    draft = ben.submit(thread_id, "Sent past the server, and the bytes never came.")
    await ben.send(draft.instruction)
    voted = await desk.run(await desk.ballot(ana, thread_id, draft.hash, approve=False))
    assert voted.update.outcome is Outcome.VERIFIED
    assert "missing" in (voted.update.steps[3].detail or "")
    assert voted.message is not None
    assert voted.message.status is MessageStatus.DENIED
    # Its bytes can still come, and are promoted then.
    await desk.parts.stage(draft.content)
    key = ContentKey(ContentKind.MESSAGE, thread_id, draft.hash)
    stored = (await desk.parts.content.fetch([key]))[key].stored
    assert stored is not None
    assert stored.status is MessageStatus.DENIED
