"""Bytes that are missing, left behind, or claim what the chain does not: each ends as its authority says."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from chorale.checking.client_reports import ClientReports
from chorale.domain.approval import MessageStatus
from chorale.domain.commands import RestoreContent, RestoredContent
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.domain.content import Content, ContentKey, ContentState, StoredContent
from chorale.domain.events import EventKind, EventPosition
from chorale.domain.ports import ContentStore
from chorale.domain.updates import Outcome
from chorale.projection.staging import StagingCollector
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.resolution import subject_of
from chorale.reconciliation.resolvers import open_resolvers
from chorale.reconciliation.restoration import Restoration
from chorale.reconciliation.sightings import content_conflict
from chorale.update.late import BLOCKHASH_LIFETIME
from datasources.cache.entities_memory import MemoryEntities
from datasources.index import open_index
from tests.chains import RunningChain, signature_of
from tests.patience import PATIENCE
from tests.spine.desk import LIMITS, Desk, open_desk
from tests.spine.parts import LEASE, Actor, Draft, Parts
from tests.spine.test_state_update_faults import IMPATIENT, LossyChain, Unreliable, final

pytestmark = pytest.mark.asyncio(loop_scope="session")


def equip(parts: Parts) -> None:
    """Let conflicts be resolved, as in the server."""
    parts.reconciler.equip(
        open_resolvers(
            parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.corrections,
            MemoryEntities(LIMITS), ClientReports(LIMITS), LIMITS,
        )
    )  # fmt: skip


async def new_thread(parts: Parts, actor: Actor) -> str:
    draft = actor.thread("Lost and found")
    await parts.stage(draft.content)
    thread_id = draft.content.key.thread_id
    await parts.projector.settle(thread_id, await actor.send(draft.instruction))
    return thread_id


async def stored(parts: Parts, content: Content) -> StoredContent | None:
    return (await parts.content.fetch([content.key]))[content.key].stored


def lacking(draft: Draft) -> Conflict:
    conflict = content_conflict(draft.content.key, ContentState.MISSING)
    assert conflict is not None
    return conflict


def wrong_point(draft: Draft) -> Conflict:
    key = draft.content.key
    return Conflict(ConflictCause.PAYLOAD_WRONG, subject_of(key), key.thread_id, "no account", "a point")


class Ending(Unreliable):
    """The store, telling when a lease was to end early."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.ended = asyncio.Event()

    async def end_lease(self, key: ContentKey, *, found: int, lease_until: int) -> None:
        await self._real.end_lease(key, found=found, lease_until=lease_until)
        self.ended.set()


async def collected(parts: Parts, seconds: int) -> int:
    """What a collection so many seconds from now deletes."""
    return await StagingCollector(
        parts.chain,
        parts.content,
        parts.projector,
        parts.corrections,
        parts.reconciler,
        now=lambda: time.time() + seconds,
    ).collect()


async def test_missing_bytes_are_awaited_and_promoted_when_they_come(parts: Parts, ana: Actor) -> None:
    """Whoever stages them, by whatever way: the conflict is over, and its next look says so once."""
    equip(parts)
    thread_id = await new_thread(parts, ana)
    draft = ana.post(thread_id, "Sent without its bytes")
    await parts.projector.settle(thread_id, await ana.send(draft.instruction))
    assert (await parts.reconciler.settle(lacking(draft))).settlement is Settlement.AWAITING_CONTENT
    await parts.content.stage(draft.content, lease_until=int(time.time()) + LEASE)
    assert (await parts.reconciler.settle(lacking(draft))).settlement is Settlement.RESOLVED
    point = await stored(parts, draft.content)
    assert point is not None
    assert (point.status, point.fingerprint) == (MessageStatus.PUBLISHED, parts.embedder.fingerprint)


async def test_what_nobody_names_is_missed_by_nobody(parts: Parts, ana: Actor) -> None:
    """Without an account on the finalized chain there is no conflict, whatever was said to be missing."""
    equip(parts)
    thread_id = await new_thread(parts, ana)
    never = ana.post(thread_id, "Never sent")
    record = await parts.reconciler.settle(lacking(never))
    assert record.settlement is Settlement.RESOLVED
    assert (await parts.content.fetch([never.content.key]))[never.content.key].state is ContentState.MISSING


async def test_a_point_of_what_never_was_is_staged_again(parts: Parts, ana: Actor) -> None:
    """A promotion whose message the finalized chain has not: its author has the bytes back, nobody else finds them."""
    equip(parts)
    thread_id = await new_thread(parts, ana)
    draft = ana.post(thread_id, "Of a branch that is gone")
    await parts.stage(draft.content)
    id, engine = parts.content._identity.point_id(draft.content.key), parts.content._engine
    claim = {"status": "PUBLISHED", "sequence": 7, "fingerprint": parts.embedder.fingerprint}
    await engine.call(lambda: engine.client.set_payload(parts.content._identity.name, claim, [id], wait=True))
    record = await parts.reconciler.settle(wrong_point(draft))
    assert record.settlement is Settlement.RESOLVED, record.action
    point = await stored(parts, draft.content)
    assert point is not None and (point.status, point.sequence) == (MessageStatus.STAGED, 0)
    assert await parts.index.thread_of(draft.hash) == (thread_id, MessageStatus.STAGED)
    # And once it lands after all it is promoted like any other.
    await parts.projector.settle(thread_id, await ana.send(draft.instruction))
    point = await stored(parts, draft.content)
    assert point is not None and point.status is MessageStatus.PUBLISHED


async def test_bytes_of_an_expired_transaction_are_collected_early(parts: Parts, tmp_path: Path) -> None:
    """Surely expired, they are kept no day; while it was open, no collection took them. It is said once."""
    actor = Actor(parts.running, await parts.running.wallet())
    thread_id = await new_thread(parts, actor)
    chain = LossyChain(parts.chain)
    async with open_desk(parts, tmp_path, chain=chain, limits=IMPATIENT) as desk:
        draft = actor.post(thread_id, "Too late")
        signature = (await desk.run(await desk.posting(actor, draft))).update.signature
        before = await stored(parts, draft.content)
        assert before is not None and before.lease_until > time.time() + LIMITS.staged_grace + 60
        assert await collected(parts, LIMITS.staged_grace + 60) == 0
        await chain.received.wait()
        chain.older = BLOCKHASH_LIFETIME + 100
        assert await final(desk, signature) is Outcome.EXPIRED
        async with asyncio.timeout(PATIENCE):  # what is told first is the outcome
            while (point := await stored(parts, draft.content)) is not None and point == before:
                await asyncio.sleep(0.02)
    assert await collected(parts, 0) == 0  # another transaction may still name them
    assert await collected(parts, LIMITS.staged_grace + 60) == 1
    assert await stored(parts, draft.content) is None
    assert await parts.index.thread_of(draft.hash) is None
    [record] = parts.conflicts.before(None, 10)
    assert (record.conflict.cause, record.conflict.subject, record.settlement) == (
        ConflictCause.CONTENT_ABANDONED, f"Message:{draft.hash}", Settlement.RESOLVED,
    )  # fmt: skip


async def test_bytes_that_another_transaction_brought_again_keep_their_day(parts: Parts, tmp_path: Path) -> None:
    """The end of one transaction takes nothing from the next that names the same message."""
    actor = Actor(parts.running, await parts.running.wallet())
    thread_id = await new_thread(parts, actor)
    chain, content = LossyChain(parts.chain), Ending(parts.content)
    async with open_desk(parts, tmp_path, chain=chain, content=cast("ContentStore", content), limits=IMPATIENT) as desk:
        draft = actor.post(thread_id, "Twice")
        signature = (await desk.run(await desk.posting(actor, draft))).update.signature
        again = int(time.time()) + 2 * LIMITS.staged_lease
        await parts.content.stage(draft.content, lease_until=again)
        await chain.received.wait()
        chain.older = BLOCKHASH_LIFETIME + 100
        assert await final(desk, signature) is Outcome.EXPIRED
        async with asyncio.timeout(PATIENCE):
            await content.ended.wait()
    point = await stored(parts, draft.content)
    assert point is not None and point.lease_until == again


async def test_abandoned_bytes_are_deleted_only_behind_their_lease(parts: Parts, ana: Actor) -> None:
    """Named by a verification, they are looked at as by any collection."""
    equip(parts)
    thread_id = await new_thread(parts, ana)
    draft = ana.post(thread_id, "Left behind")
    key = draft.content.key
    conflict = Conflict(ConflictCause.CONTENT_ABANDONED, subject_of(key), thread_id, "no account", "staged bytes")
    await parts.content.stage(draft.content, lease_until=int(time.time()) + LEASE)
    await parts.reconciler.settle(conflict)
    point = await stored(parts, draft.content)
    assert point is not None
    await parts.content.end_lease(key, found=point.lease_until, lease_until=1)
    assert (await parts.reconciler.settle(replace(conflict, found="older bytes"))).settlement is Settlement.RESOLVED
    assert await stored(parts, draft.content) is None


async def test_what_one_replica_is_given_the_others_tell_as_well(
    parts: Parts, ana: Actor, running: RunningChain, tmp_path: Path
) -> None:
    """A replica whose readers met the message as MISSING logs ContentRestored itself, once; its conflict is over."""
    thread_id = await new_thread(parts, ana)
    draft = ana.post(thread_id, "Given to one of two")
    signature = await ana.send(draft.instruction)
    await parts.projector.settle(thread_id, signature)
    limits = replace(LIMITS, verification_interval=0.1)
    restoration = Restoration(
        parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.reconciler, limits
    )
    async with open_index(tmp_path / "other", "genesis", running.program_id, "model") as index:
        other = replace(
            parts, index=index, projector=Projector(parts.chain, parts.content, parts.embedder, index), limits=limits
        )
        other.reconciler = Reconciler({}, other.conflicts, other.announcements, other.measures, limits)
        equip(other)
        await other.projector.settle(thread_id, signature)
        working = asyncio.create_task(other.reconciler.run())
        try:
            other.reconciler.met(draft.content.key, ContentState.MISSING)
            await other.reconciler.drained()
            assert other.conflicts.before(None, 1)[0].settlement is Settlement.AWAITING_CONTENT
            done = await restoration.run(
                RestoreContent(draft.content.body, draft.content.salt, content_hash=draft.hash), None
            )
            assert isinstance(done, RestoredContent) and done.restored
            async with asyncio.timeout(PATIENCE):
                while other.conflicts.before(None, 1)[0].settlement is not Settlement.RESOLVED:
                    await asyncio.sleep(0.02)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await other.projector.close()
        for replica in (parts, other):
            batch = await replica.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 100)
            told = [event for event in batch.events if event.kind is EventKind.CONTENT_RESTORED]
            assert [event.content_hash for event in told] == [draft.hash]


async def test_a_title_of_no_thread_is_staged_again(parts: Parts, ana: Actor) -> None:
    """Though its conflict can name the thread alone."""
    equip(parts)
    draft = ana.thread("Of a thread that never was")
    key = draft.content.key
    await parts.stage(draft.content)
    id, engine = parts.content._identity.point_id(key), parts.content._engine
    claim = {"status": "PUBLISHED", "sequence": 1}
    await engine.call(lambda: engine.client.set_payload(parts.content._identity.name, claim, [id], wait=True))
    conflict = Conflict(
        ConflictCause.PAYLOAD_WRONG, f"Thread:{key.thread_id}", key.thread_id, "no account", "a point of sequence 1"
    )
    assert (await parts.reconciler.settle(conflict)).settlement is Settlement.RESOLVED
    point = await stored(parts, draft.content)
    assert point is not None and (point.status, point.sequence) == (MessageStatus.STAGED, 0)


async def test_sending_the_transaction_with_its_text_heals_both_kinds_of_loss(desk: Desk, ana: Actor) -> None:
    """Corrupt before it was sent, or absent after it landed past the server: the mutation brings the bytes and is
    VERIFIED."""
    parts = desk.parts
    thread_id = await new_thread(parts, ana)
    draft = ana.post(thread_id, "Staged and then damaged")
    await parts.stage(draft.content)
    id, engine = parts.content._identity.point_id(draft.content.key), parts.content._engine
    damage = {"body": "Other words"}
    await engine.call(lambda: engine.client.set_payload(parts.content._identity.name, damage, [id], wait=True))
    result = await desk.run(await desk.posting(ana, draft))
    assert result.update.outcome is Outcome.VERIFIED
    point = await stored(parts, draft.content)
    assert point is not None and point.restored_at

    past = ana.post(thread_id, "Landed before anybody here had its text")
    command = await desk.posting(ana, past)
    await parts.chain.send(command.signed_transaction)
    await parts.chain.confirm(signature_of(command.signed_transaction), 20)
    result = await desk.run(command)
    assert result.update.outcome is Outcome.VERIFIED
    point = await stored(parts, past.content)
    assert point is not None and (point.status, point.restored_at > 0) == (MessageStatus.PUBLISHED, True)
