"""Everything that is due to everybody is sent, and nothing else: expire, resolve, refund and sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import AccountsRead
from chorale.domain.ports import Chain
from chorale.keeping.duties import Candidate, Duty
from chorale.keeping.errand import Ending
from tests.chains import MINIMUM_STAKE
from tests.keeper.field import LIMITS, SOL, Field, done
from tests.patience import PATIENCE


async def test_an_expired_message_is_expired_and_then_refunded(land: Field) -> None:
    """The stake is back with its author after two passes, and the keeper paid two fees."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    purse = await land.tokens(ben)
    content_hash = await land.submit(ben, thread_id)
    async with land.keeper() as keeper:
        survey = await keeper.one_pass()
        assert (done(keeper), survey.found) == ({}, ())
        assert survey.next_expiry == (await land.message(thread_id, content_hash)).expires_at
        await land.expire_all()
        await keeper.one_pass()
        assert (await land.message(thread_id, content_hash)).status is MessageStatus.EXPIRED
        assert await land.tokens(ben) == purse - MINIMUM_STAKE
        await keeper.one_pass()
        assert done(keeper) == {"expire": 1, "refund": 1}
        assert await land.tokens(ben) == purse
        await keeper.one_pass()
        report = keeper.report()
        assert len(await land.paid_by(keeper)) == 2
        assert (report.spent, SOL - report.lamports) == (10_000, 10_000)
        report = keeper.report()


async def test_a_cancelled_message_is_refunded(land: Field) -> None:
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    purse = await land.tokens(ben)
    content_hash = await land.submit(ben, thread_id)
    await land.cancel(ben, thread_id, content_hash)
    async with land.keeper() as keeper:
        await keeper.one_pass()
        assert done(keeper) == {"refund": 1}
    assert await land.tokens(ben) == purse
    assert (await land.message(thread_id, content_hash)).escrow_remaining == 0


async def test_a_message_that_a_divestment_has_decided_is_resolved_and_swept(land: Field) -> None:
    """Ana and Ben are co-authors; Cleo's message has Ana's yes and Dan's no, and waits for Ben alone, who leaves."""
    ana, ben, cleo, dan = [await land.actor() for _ in range(4)]
    thread_id = await land.thread(ana, ben, dan)
    content_hash = await land.submit(cleo, thread_id)
    await ana.send(ana.vote(thread_id, content_hash, approve=True))
    await dan.send(dan.vote(thread_id, content_hash, approve=False))
    async with land.keeper() as keeper:
        await keeper.one_pass()
        assert done(keeper) == {}
        await land.divest(ben, thread_id)
        await keeper.one_pass()
        assert done(keeper) == {"resolve": 1}
        assert (await land.message(thread_id, content_hash)).status is MessageStatus.SPLIT
        await keeper.one_pass()
        assert done(keeper) == {"resolve": 1, "sweep": 1}
        assert (await land.thread_account(thread_id)).treasury_due == 0
        await keeper.one_pass()
        assert len(await land.paid_by(keeper)) == 2


async def test_an_approved_message_is_published_once_the_missing_one_has_left(land: Field) -> None:
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana, ben)
    content_hash = await land.submit(cleo, thread_id)
    await ana.send(ana.vote(thread_id, content_hash, approve=True))
    await land.divest(ben, thread_id)
    async with land.keeper() as keeper:
        await keeper.one_pass()
        assert done(keeper) == {"resolve": 1}
    thread = await land.thread_account(thread_id)
    assert {co_author.key for co_author in thread.co_authors} == {ana.key, cleo.key}


async def test_a_message_that_still_waits_is_left_alone(land: Field) -> None:
    """A vote is missing, so nothing is sent, and the thread is not read again until it has changed."""
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana, ben)
    content_hash = await land.submit(cleo, thread_id)
    await ana.send(ana.vote(thread_id, content_hash, approve=True))
    async with land.keeper() as keeper:
        for _ in range(3):
            await keeper.one_pass()
        assert await land.paid_by(keeper) == []


async def test_what_comes_due_again_is_swept_again_at_once(land: Field) -> None:
    """A claim ends with what it was for: the second split is swept as soon as the first."""
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana, ben)
    async with land.keeper(limits=replace(LIMITS, keeper_first_pause=0.0)) as keeper:
        for swept in (1, 2):
            content_hash = await land.submit(cleo, thread_id)
            await ana.send(ana.vote(thread_id, content_hash, approve=True))
            await ben.send(ben.vote(thread_id, content_hash, approve=False))
            assert (await land.thread_account(thread_id)).treasury_due == MINIMUM_STAKE
            async with asyncio.timeout(PATIENCE):  # within one slot the second is not told from the first
                while done(keeper) != {"sweep": swept}:
                    await keeper.one_pass()
            assert (await land.thread_account(thread_id)).treasury_due == 0


async def test_a_claim_outlives_a_node_that_lags(land: Field) -> None:
    """Where a read is older than the transaction that has done the work, nothing is sent for it again."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    address = land.address(thread_id, await land.submit(ben, thread_id))
    await land.expire_all()
    lagging = LaggingChain(land.chain)
    async with land.keeper("one") as keeper:
        lagging.stale = await land.chain.accounts([address])
        await keeper.one_pass()
    async with land.keeper("one", chain=cast("Chain", lagging)) as late:
        await late.lamports()
        for _ in range(2):
            result = await late._errands.run(Candidate(Duty.EXPIRE, address), 2**40)
            assert result.ending is Ending.TAKEN, result
    assert await land.landed_on(address) == 2


class LaggingChain:
    """A node that shows one account as it was."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.stale: AccountsRead | None = None

    async def accounts(self, addresses: Sequence[str]) -> AccountsRead:
        """The old state of that one."""
        held = [account.address for account in self.stale.accounts if account] if self.stale else []
        return self.stale if self.stale and list(addresses) == held else await self._chain.accounts(addresses)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)
