"""A log of what a leader executed and then did not record is corrected by the chain, whatever became of it.

A leader's node executes what no longer fits into its slot and tells its log all the same, often many times; the next
slot executes it anew, perhaps behind others, with another outcome, or never.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field, replace

import pytest
from solders.instruction import Instruction

from chorale import watcher
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.chain import SlotTick
from chorale.domain.events import EventPosition, FeedItem, TransactionRecord
from chorale.projector import Projector
from datasources.solana import decode
from tests.chains import signature_of
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts
from tests.spine.test_watcher_feeds import logged, on_chain, post, thread, through

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Leader:
    """The chain's node as that of a leader: it tells what `execute` was given, three times, before the next slot."""

    parts: Parts
    told: list[TransactionRecord] = field(default_factory=list)

    def shape(self, _: int, item: FeedItem) -> list[FeedItem]:
        if not isinstance(item, SlotTick):
            return [item]
        told, self.told = self.told, []
        return [*told, *told, *told, item]

    async def execute(self, actor: Actor, part: Instruction) -> tuple[bytes, TransactionRecord]:
        """A transaction with the log of its execution in the slot of now, which is not recorded."""
        running = self.parts.running
        transaction = await running.sign([part], [actor.keypair])
        config = {"encoding": "base64", "commitment": "confirmed"}
        answer = await running.rpc("simulateTransaction", b64encode(transaction).decode(), config)
        slot, value = answer["context"]["slot"], answer["value"]
        signature = signature_of(transaction)
        now = await running.now()
        return transaction, decode.transaction_record(
            signature, slot, now, value["err"], value["logs"], running.program_id
        )

    async def tell(self, *records: TransactionRecord) -> None:
        """Returns once the watcher has heard of them."""
        self.told += records
        progress = self.parts.projector.progress
        async with asyncio.timeout(PATIENCE):
            while not all(progress.knows(record.signature, record.slot) for record in records):
                await asyncio.sleep(0.02)


@pytest.fixture
def leader(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Leader:
    monkeypatch.setattr(watcher, "_FIRST_CHECK", 3600.0)  # only what is told
    leader = Leader(parts)
    shaped, feeds = through(parts, leader.shape)
    leader.parts = replace(
        shaped, projector=Projector(feeds, parts.content, parts.embedder, parts.index, cache=parts.cache)
    )
    return leader


async def slots(parts: Parts, thread_id: str) -> list[int]:
    """Where the log says that each event happened."""
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    return [event.slot for event in batch.events]


async def landed(parts: Parts, thread_id: str) -> list[int]:
    """Where it happened."""
    listed = await parts.running.rpc(
        "getSignaturesForAddress", parts.running.addresses.thread(thread_id), {"commitment": "confirmed"}
    )
    return sorted(entry["slot"] for entry in listed)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_what_lands_behind_another_is_logged_where_it_landed(
    leader: Leader, ana: Actor, order: tuple[int, int]
) -> None:
    """Two posts were executed as the second change of the thread; one became it, the other came third."""
    parts = leader.parts
    async with parts.watch():
        thread_id = await thread(parts, ana, "Executed")
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        drafts = [ana.post(thread_id, body) for body in ("First", "Behind")]
        for draft in drafts:
            await parts.stage(draft.content)
        executed = [await leader.execute(ana, draft.instruction) for draft in drafts]
        await leader.tell(*(executed[number][1] for number in order))
        for transaction, _ in executed:
            await parts.running.send_raw(transaction)
        assert await parts.index.wait_for(thread_id, 3, PATIENCE)
        assert await logged(parts, thread_id) == await on_chain(parts, thread_id)
        assert await slots(parts, thread_id) == await landed(parts, thread_id)
    assert AnnouncementKind.CHAIN_FORKED not in {made.kind for made in parts.announcements.recent()}


async def test_what_lands_later_is_logged_where_it_landed(leader: Leader, ana: Actor) -> None:
    """A post that was executed in one slot and recorded in a later one, and one that the log told of once."""
    parts = leader.parts
    async with parts.watch():
        thread_id = await thread(parts, ana, "Later")
        draft = ana.post(thread_id, "Recorded later")
        await parts.stage(draft.content)
        transaction, record = await leader.execute(ana, draft.instruction)
        await leader.tell(record)
        await parts.running.send_raw(transaction)
        await post(parts, ana, thread_id, "As ever")
        assert await parts.index.wait_for(thread_id, 3, PATIENCE)
        assert await logged(parts, thread_id) == await on_chain(parts, thread_id)
        assert await slots(parts, thread_id) == await landed(parts, thread_id)
        assert record.slot < (await landed(parts, thread_id))[1]


async def test_what_failed_and_then_lands_is_logged(leader: Leader, ana: Actor, ben: Actor) -> None:
    """A vote is executed before the submission that it is on."""
    parts = leader.parts
    async with parts.watch():
        thread_id = await thread(parts, ana, "Too early")
        draft = ben.submit(thread_id, "Rivers carry stones to the sea.")
        await parts.stage(draft.content)
        vote, failed = await leader.execute(ana, ana.vote(thread_id, draft.hash, approve=True))
        assert not failed.succeeded
        await leader.tell(failed)
        await ben.send(draft.instruction)
        await parts.running.send_raw(vote)
        assert await parts.index.wait_for(thread_id, 3, PATIENCE)
        assert await logged(parts, thread_id) == await on_chain(parts, thread_id)


async def test_what_never_lands_holds_nothing_up(leader: Leader, ana: Actor) -> None:
    """Its thread goes on with another change of the same sequence, and the cursor passes it."""
    parts = leader.parts
    async with parts.watch() as watching:
        thread_id = await thread(parts, ana, "Not recorded")
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        _, record = await leader.execute(ana, ana.post(thread_id, "Never").instruction)
        await leader.tell(record)
        await post(parts, ana, thread_id, "Instead")
        assert await parts.index.wait_for(thread_id, 2, PATIENCE)
        assert await logged(parts, thread_id) == await on_chain(parts, thread_id)
        async with asyncio.timeout(PATIENCE):
            while watching.catch_up().left or parts.projector.progress.oldest_open is not None:
                await asyncio.sleep(0.05)
