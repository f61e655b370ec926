"""The watcher follows the chain: whatever happens past the server, or while it is away, arrives once and in order."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient

from chorale import watcher
from chorale.domain.approval import MessageStatus
from chorale.domain.chain import AccountsRead, Commitment, SlotTick
from chorale.domain.content import ContentState, SearchCriteria, SearchMode
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import EventPosition, FeedItem, TransactionRecord
from chorale.domain.paging import PageRequest
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from chorale.projection import settling
from chorale.projection.inbox import Inbox, pump
from chorale.projection.pulse import Pulse
from chorale.projection.staging import StagingCollector
from chorale.projector import Projector
from datasources.embeddings import FastEmbedder
from programs.accounts import THREADS, AccountMalformed
from tests.chains import RunningChain
from tests.patience import PATIENCE
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
        assert await parts.index.wait_for(thread_id, 5, PATIENCE)
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
            assert await parts.index.wait_for(first, 5, PATIENCE)
            before = await answers(parts, first, ana.key)
        log_id = parts.index.log_id
        second = await discussion(parts, ana, ben)  # nobody watches
    async with open_parts(running, embedder, tmp_path) as parts:
        assert await parts.index.chain_cursor() is not None
        async with parts.watch():
            assert parts.index.log_id == log_id
            assert await answers(parts, first, ana.key) == before
            # A node may list the newest transaction a little late: then a later look finds it.
            assert await parts.index.wait_for(second, 5, PATIENCE)
            found = await answers(parts, second, ana.key)
            assert found["sequence"] == 5
            assert isinstance(found["events"], list)
            assert len(found["events"]) == 7
            assert found["gap"] is None


async def test_a_restart_asks_for_the_transactions_that_the_index_lacks_alone(
    running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor, ben: Actor
) -> None:
    """A stretch before the cursor is listed anew, since nodes do not all tell one order; what it names is known."""
    async with open_parts(running, embedder, tmp_path) as parts:
        async with parts.watch():
            first = await discussion(parts, ana, ben)
            assert await parts.index.wait_for(first, 5, PATIENCE)
        known = {signature for _, signature, _ in await parts.index.log_signatures(first, 5, 10)}
        second = await discussion(parts, ana, ben)  # nobody watches
    assert len(known) == 5
    async with open_parts(running, embedder, tmp_path) as parts:
        chain: Any = Asked(parts.chain)
        again = replace(parts, chain=chain, projector=Projector(chain, parts.content, parts.embedder, parts.index))
        async with again.watch():
            assert await parts.index.wait_for(second, 5, PATIENCE)
        missed = {signature for _, signature, _ in await parts.index.log_signatures(second, 5, 10)}
        assert missed <= chain.transactions_asked
        assert not known & chain.transactions_asked


class Asked:
    """The chain, with the transactions that were asked of it."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.transactions_asked: set[str] = set()

    async def transactions(self, signatures: Sequence[str]) -> Sequence[TransactionRecord | None]:
        self.transactions_asked.update(signatures)
        return await self._chain.transactions(signatures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


@pytest.mark.parametrize("lost", ["index", "payload"])
async def test_lost_derived_state_comes_back(
    running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor, ben: Actor, lost: str
) -> None:
    """Without its index, or without the derived payload of its content, a restart gives the same answers."""
    async with open_parts(running, embedder, tmp_path) as parts, parts.watch():
        thread_id = await discussion(parts, ana, ben)
        waiting = ben.post(thread_id, "Staged and never sent.")
        await parts.stage(waiting.content)
        assert await parts.index.wait_for(thread_id, 5, PATIENCE)
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

    early = StagingCollector(parts.chain, parts.content, parts.projector, parts.corrections)
    assert await early.collect() == 0
    late = StagingCollector(
        parts.chain, parts.content, parts.projector, parts.corrections, now=lambda: time.time() + 2 * LEASE
    )
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


class AlteredFeed:
    """The chain, whose subscription shows transactions as `alter` gives them; `alter` may raise."""

    def __init__(self, chain: Chain, alter: Callable[[TransactionRecord], TransactionRecord]) -> None:
        self._chain = chain
        self._alter = alter
        self.connections = 0
        self.holding: list[tuple[int, str]] = []
        self.refuse = False

    async def program_accounts(
        self, *, holding: Sequence[tuple[int, str]] = (), part: tuple[int, int] | None = None
    ) -> AccountsRead:
        self.holding += holding
        if self.refuse:
            raise AuthorityUnavailableError(Authority.SOLANA)
        return await self._chain.program_accounts(holding=holding, part=part)

    async def follow(self, **options: bool) -> AsyncGenerator[FeedItem, None]:
        self.connections += 1
        async with aclosing(self._chain.follow(**options)) as feed:
            async for item in feed:
                yield self._alter(item) if isinstance(item, TransactionRecord) else item

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


def watched_through(parts: Parts, alter: Callable[[TransactionRecord], TransactionRecord]) -> tuple[Parts, AlteredFeed]:
    """The parts, behind such a feed."""
    feed: Any = AlteredFeed(parts.chain, alter)
    projector = Projector(feed, parts.content, parts.embedder, parts.index)
    return replace(parts, chain=feed, projector=projector), feed


async def test_a_cut_log_is_made_up_for_by_one_look_over(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads whose events were cut are found at a later look, by one read of threads alone, though one look fails."""
    monkeypatch.setattr(watcher, "_FIRST_CHECK", 0.5)
    monkeypatch.setattr(watcher, "_CHECK", 0.5)
    through, feed = watched_through(parts, lambda record: replace(record, events=(), logs_cut=True))
    async with through.watch():
        async with asyncio.timeout(PATIENCE):
            while len(feed.holding) < 2:  # the snapshot of a first start, and the first look at what came beside it
                await asyncio.sleep(0.05)
        feed.holding.clear()
        feed.refuse = True
        thread_ids = []
        for text in ("First", "Second"):
            title = ana.thread(text)
            thread_ids.append(title.content.key.thread_id)
            await parts.stage(title.content)
            await ana.send(title.instruction)
        async with asyncio.timeout(PATIENCE):
            while not feed.holding:
                await asyncio.sleep(0.05)
        feed.holding.clear()
        feed.refuse = False
        for thread_id in thread_ids:
            assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        await asyncio.sleep(1.2)  # further looks find nothing owed
        assert 1 <= len(feed.holding) <= 2
        assert set(feed.holding) == {THREADS}
        assert feed.connections == 1


async def test_an_unexpected_fault_of_the_feed_is_followed_by_a_new_connection(
    parts: Parts, ana: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever ends a subscription, the watcher says so, connects again and catches up."""
    faults = ["invoke " + "9" * 4301]

    def alter(record: TransactionRecord) -> TransactionRecord:
        if faults:
            raise ValueError(faults.pop())
        return record

    through, feed = watched_through(parts, alter)
    async with through.watch() as watching:
        title = ana.thread("After a fault")
        await parts.stage(title.content)
        await ana.send(title.instruction)
        assert await parts.index.wait_for(title.content.key.thread_id, 1, PATIENCE)
        assert feed.connections == 2
        await watching.ready()
    assert "Following the chain again" in caplog.text


async def test_a_thread_that_cannot_be_read_does_not_stop_the_others(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account that does not decode is given up after some attempts, and threads after it arrive."""
    monkeypatch.setattr(settling, "_FIRST_PAUSE", 0.01)
    bad, good = ana.thread("Bad"), ana.thread("Good")
    settle = parts.projector.settle

    async def failing(thread_id: str, *args: Any, **options: Any) -> Any:
        if thread_id == bad.content.key.thread_id:
            raise AccountMalformed("The account is truncated.")
        return await settle(thread_id, *args, **options)

    monkeypatch.setattr(parts.projector, "settle", failing)
    async with parts.watch():
        for title in (bad, good):
            await parts.stage(title.content)
        await ana.send(bad.instruction)
        signature = await ana.send(good.instruction)
        assert await parts.index.wait_for(good.content.key.thread_id, 1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while (cursor := parts.projector.progress.cursor) is None or cursor.signature != signature:
                await asyncio.sleep(0.05)


async def test_silence_of_the_chain_is_told(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that has caught up and hears nothing for long is not ready."""
    async with parts.watch() as watching:
        await watching.ready()
        monkeypatch.setattr(watcher, "_LONG", -1.0)
        with pytest.raises(AuthorityUnavailableError, match="has not been followed"):
            await watching.ready()


async def test_the_end_of_a_feed_reaches_a_full_inbox() -> None:
    """The end marker is put whatever ends the feed, and never waits. Where there is no room all else gives way, so that
    no cursor passes what is lost."""

    async def endless() -> AsyncGenerator[SlotTick, None]:
        while True:
            yield SlotTick(1)

    inbox: Inbox = asyncio.Queue(2)
    pumping = asyncio.create_task(pump(endless(), inbox, Pulse()))
    while not inbox.full():
        await asyncio.sleep(0)
    pumping.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(pumping, return_exceptions=True)
    assert inbox.get_nowait() is None
    assert inbox.empty()
