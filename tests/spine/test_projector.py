"""The projector brings everything derived up to the chain: once, in order, whoever asks and however often."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKey, ContentKind
from chorale.domain.events import EventKind, EventPosition, LoggedEvent
from chorale.domain.paging import PageRequest
from chorale.domain.projection import Settled
from programs import merkle
from programs.accounts import decode_thread
from tests.spine.parts import Actor, Draft, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def new_thread(parts: Parts, actor: Actor) -> Draft:
    draft = actor.thread("A title")
    await parts.stage(draft.content)
    await actor.send(draft.instruction)
    return draft


async def log_of(parts: Parts, thread_id: str) -> list[LoggedEvent]:
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    assert batch.gap is None
    return list(batch.events)


async def test_a_submission_and_its_vote_reach_index_content_log_and_proof(
    parts: Parts, ana: Actor, ben: Actor
) -> None:
    """Each transaction shows everywhere once settled, and publication makes a proof of the account's root."""
    title = await new_thread(parts, ana)
    thread_id = title.content.key.thread_id
    message = ben.submit(thread_id, "Rivers carry stones to the sea.")
    await parts.stage(message.content)
    assert await parts.index.thread_of(message.hash) == (thread_id, MessageStatus.STAGED)

    submitted = await parts.projector.settle(thread_id, await ben.send(message.instruction))
    assert submitted.sequence == 2
    assert await parts.index.thread_of(message.hash) == (thread_id, MessageStatus.PENDING)
    point = (await parts.content.fetch([message.content.key]))[message.content.key].stored
    assert point is not None
    assert (point.status, point.sequence, point.submitted_sequence) == (MessageStatus.PENDING, 2, 2)
    assert point.fingerprint == parts.embedder.fingerprint

    vote = await ana.send(ana.vote(thread_id, message.hash, approve=True))
    decided = await parts.projector.settle(thread_id, vote)
    assert (decided.sequence, decided.position.sequence) == (3, 3)
    point = (await parts.content.fetch([message.content.key]))[message.content.key].stored
    assert point is not None
    assert (point.status, point.sequence, point.voters) == (MessageStatus.PUBLISHED, 3, (ana.key,))

    events = await log_of(parts, thread_id)
    assert [(event.sequence, event.ordinal, event.kind) for event in events] == [
        (1, 0, EventKind.THREAD_CREATED),
        (2, 0, EventKind.MESSAGE_SUBMITTED),
        (3, 0, EventKind.VOTE_CAST),
        (3, 1, EventKind.MESSAGE_PUBLISHED),
        (3, 2, EventKind.CO_AUTHOR_JOINED),
    ]
    assert [event.actor for event in events] == [ana.key, ben.key, ana.key, None, ben.key]
    assert all(event.signature == vote for event in events[2:])

    address = parts.running.addresses.thread(thread_id)
    account = (await parts.chain.accounts([address])).accounts[0]
    assert account is not None
    root = decode_thread(address, account.data).content_root
    path = await parts.index.merkle_path(thread_id, 0, 1)
    assert path is not None
    assert merkle.verify_path(message.hash, 0, path, root, 1)


async def test_many_callers_share_rounds_and_get_their_own_places(parts: Parts, ana: Actor) -> None:
    """Concurrent settles of one thread coalesce; every caller hears the place behind its own transaction."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    drafts = [ana.post(thread_id, f"Note number {number}.") for number in range(12)]
    for draft in drafts:
        await parts.stage(draft.content)
    signatures = [await ana.send(draft.instruction) for draft in drafts]
    answers = await asyncio.gather(*(parts.projector.settle(thread_id, s) for s in signatures * 2))
    assert [answer.position.sequence for answer in answers] == list(range(2, 14)) * 2
    assert {answer.sequence for answer in answers} == {13}
    events = await log_of(parts, thread_id)
    assert [event.signature for event in events[1:]] == signatures
    page = await parts.index.messages(thread_id, PageRequest(first=100), viewer=None)
    assert [row.id for row in page.rows] == [draft.hash for draft in drafts]


async def test_content_that_is_missing_does_not_hold_the_thread_up(parts: Parts, ana: Actor) -> None:
    """A hash on chain without bytes is indexed and logged like any other."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    bare = ana.post(thread_id, "Nobody staged this.")
    settled = await parts.projector.settle(thread_id, await ana.send(bare.instruction))
    assert settled.sequence == 2
    assert await parts.index.thread_of(bare.hash) == (thread_id, MessageStatus.PUBLISHED)
    # Bytes that come later are promoted when they are noted.
    await parts.stage(bare.content)
    point = (await parts.content.fetch([bare.content.key]))[bare.content.key].stored
    assert point is not None
    assert point.status is MessageStatus.PUBLISHED


async def test_a_failed_transaction_needs_nothing(parts: Parts, ana: Actor, ben: Actor) -> None:
    """Settling a signature that failed answers with the thread as it is."""
    thread_id = (await new_thread(parts, ana)).content.key.thread_id
    refused = ben.post(thread_id, "Not a co-author.")
    raw = await parts.running.sign([refused.instruction], [ben.keypair])
    signature = await parts.running.rpc(
        "sendTransaction", b64encode(raw).decode(), {"encoding": "base64", "skipPreflight": True}
    )
    while (await parts.chain.confirm(signature, 5)) is None:
        pass
    settled = await parts.projector.settle(thread_id, signature)
    assert isinstance(settled, Settled)
    assert settled.sequence == 1
    assert await parts.index.thread_of(refused.hash) is None


async def test_a_title_is_promoted_with_its_thread(parts: Parts, ana: Actor) -> None:
    """The title's point becomes public when the thread is first projected."""
    draft = await new_thread(parts, ana)
    await parts.projector.settle(draft.content.key.thread_id)
    key = ContentKey(ContentKind.TITLE, draft.content.key.thread_id, draft.hash)
    point = (await parts.content.fetch([key]))[key].stored
    assert point is not None
    assert point.status is MessageStatus.PUBLISHED
