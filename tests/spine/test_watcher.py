"""The watcher follows the chain: whatever happens past the server, or while it is away, arrives once and in order."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import Commitment
from chorale.domain.content import ContentState, SearchCriteria, SearchMode
from chorale.domain.events import EventPosition
from chorale.domain.paging import PageRequest
from chorale.projection.staging import StagingCollector
from datasources.embeddings import FastEmbedder
from tests.chains import RunningChain
from tests.spine.parts import LEASE, Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODIES = ("Rivers carry stones to the sea.", "Bread rises overnight.", "A violin is made of spruce.")


async def answers(parts: Parts, thread_id: str, viewer: str) -> dict[str, object]:
    """What this thread gives to list, log and search; positions within the log file are left out."""
    page = await parts.index.messages(thread_id, PageRequest(first=100), viewer=viewer)
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    criteria = SearchCriteria("violin", SearchMode.HYBRID, viewer, (thread_id,), thread_id=thread_id)
    hits = await parts.content.search(criteria, await parts.embedder.embed_query("violin"), 10)
    return {
        "page": page,
        "sequence": await parts.index.thread_sequence(thread_id),
        "events": [(e.kind, e.sequence, e.ordinal, e.slot, e.occurred_at, e.signature, e.amount) for e in batch.events],
        "gap": batch.gap,
        "hits": [(hit.content.key.hash, hit.content.status, hit.content.voters, hit.score) for hit in hits],
        "path": await parts.index.merkle_path(thread_id, 0, 1),
    }


async def discussion(parts: Parts, ana: Actor, ben: Actor) -> str:
    """A thread with a published post, an approved and an undecided submission, sent straight to the RPC."""
    title = ana.thread("On making things")
    thread_id = title.content.key.thread_id
    post = ana.post(thread_id, BODIES[0])
    first, second = ben.submit(thread_id, BODIES[2]), ben.submit(thread_id, BODIES[1])
    for actor, draft in ((ana, title), (ana, post), (ben, first), (ben, second)):
        await parts.stage(draft.content)
        await actor.send(draft.instruction)
    await ana.send(ana.vote(thread_id, first.hash, approve=True))
    return thread_id


async def test_what_goes_straight_to_the_rpc_arrives_once(parts: Parts, ana: Actor, ben: Actor) -> None:
    """Transactions that the server never saw reach index, content and log, each once, and move the chain cursor."""
    async with parts.watch():
        thread_id = await discussion(parts, ana, ben)
        assert await parts.index.wait_for(thread_id, 5, 10)
    found = await answers(parts, thread_id, ana.key)
    events = found["events"]
    assert isinstance(events, list)
    assert [event[:3] for event in events] == [
        ("ThreadCreated", 1, 0),
        ("MessagePublished", 2, 0),
        ("MessageSubmitted", 3, 0),
        ("MessageSubmitted", 4, 0),
        ("VoteCast", 5, 0),
        ("MessagePublished", 5, 1),
        ("CoAuthorJoined", 5, 2),
    ]
    hits = found["hits"]
    assert isinstance(hits, list)
    assert hits[0][1] is MessageStatus.PUBLISHED
    cursor = await parts.index.chain_cursor()
    assert cursor is not None


async def test_a_restart_replays_what_was_missed(
    running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor, ben: Actor
) -> None:
    """After a pause the log goes on where it was: nothing lost, nothing twice, and the same log."""
    async with open_parts(running, embedder, tmp_path) as parts:
        async with parts.watch():
            first = await discussion(parts, ana, ben)
            assert await parts.index.wait_for(first, 5, 10)
            before = await answers(parts, first, ana.key)
        log_id = parts.index.log_id
        second = await discussion(parts, ana, ben)  # nobody watches
    async with open_parts(running, embedder, tmp_path) as parts:
        assert await parts.index.chain_cursor() is not None
        async with parts.watch():
            assert parts.index.log_id == log_id
            assert await answers(parts, first, ana.key) == before
            found = await answers(parts, second, ana.key)
            assert found["sequence"] == 5
            assert isinstance(found["events"], list)
            assert len(found["events"]) == 7
            assert found["gap"] is None


@pytest.mark.parametrize("lost", ["index", "payload"])
async def test_lost_derived_state_comes_back(
    running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor, ben: Actor, lost: str
) -> None:
    """Without its index, or without the derived payload of its content, a restart gives the same answers."""
    async with open_parts(running, embedder, tmp_path) as parts, parts.watch():
        thread_id = await discussion(parts, ana, ben)
        waiting = ben.post(thread_id, "Staged and never sent.")
        await parts.stage(waiting.content)
        assert await parts.index.wait_for(thread_id, 5, 10)
        before = {viewer.key: await answers(parts, thread_id, viewer.key) for viewer in (ana, ben)}
    assert len(before[ben.key]["page"].rows) == 4  # type: ignore[attr-defined]
    if lost == "index":
        shutil.rmtree(tmp_path / "index")
    else:
        client = QdrantClient(path=str(tmp_path / "content"))
        for collection in client.get_collections().collections:
            points, _ = client.scroll(collection.name, limit=1000)
            ids = [point.id for point in points]
            derived = ["status", "sequence", "submitted_at", "submitted_sequence", "voters", "fingerprint"]
            client.delete_payload(collection.name, derived, points=ids)
        client.close()
    async with open_parts(running, embedder, tmp_path) as parts, parts.watch():
        assert {viewer.key: await answers(parts, thread_id, viewer.key) for viewer in (ana, ben)} == before


async def test_staged_bytes_are_collected_only_behind_their_lease(parts: Parts, ana: Actor) -> None:
    """What never landed is deleted once its lease has passed; what landed stays, even where nobody has noticed yet."""
    title = ana.thread("Half a thought")
    thread_id = title.content.key.thread_id
    await parts.stage(title.content)
    await ana.send(title.instruction)
    landed, abandoned = ana.post(thread_id, "Sent."), ana.post(thread_id, "Never sent.")
    for draft in (landed, abandoned):
        await parts.stage(draft.content)
    await ana.send(landed.instruction)
    addresses = parts.running.addresses
    account = addresses.message(addresses.thread(thread_id), landed.hash)
    while (await parts.chain.accounts([account], commitment=Commitment.FINALIZED)).accounts[0] is None:
        await asyncio.sleep(0.1)
    keys = [title.content.key, landed.content.key, abandoned.content.key]

    early = StagingCollector(parts.chain, parts.content, parts.projector)
    assert await early.collect() == 0
    late = StagingCollector(parts.chain, parts.content, parts.projector, now=lambda: time.time() + 2 * LEASE)
    assert await late.collect() == 1
    fetched = await parts.content.fetch(keys)
    assert [fetched[key].state for key in keys] == [
        ContentState.AVAILABLE,
        ContentState.AVAILABLE,
        ContentState.MISSING,
    ]
    assert [fetched[key].stored.status for key in keys[:2]] == [MessageStatus.PUBLISHED] * 2  # type: ignore[union-attr]
    assert await parts.index.thread_of(abandoned.hash) is None
    assert await parts.index.thread_of(landed.hash) == (thread_id, MessageStatus.PUBLISHED)
