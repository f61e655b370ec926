"""The keeper pays for nothing that it need not, keeps to its budget, and says loudly when it cannot pay."""

from __future__ import annotations

import logging
from base64 import b64decode

import pytest

from chorale.domain.approval import MessageStatus
from chorale.keeping.duties import Duty
from chorale.keeping.purse import Purse
from chorale.keeping.report import KeeperState
from datasources.cache.sqlite import open_sqlite_sessions
from programs.transactions import decode_transaction
from tests.keeper.field import AT_ONCE, Field, counted, done, without_grace

RENT_OF_A_WALLET = 890_880


async def overdue(land: Field, count: int) -> tuple[str, list[str]]:
    """A thread with messages whose windows have passed."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    hashes = [await land.submit(ben, thread_id) for _ in range(count)]
    await land.expire_all()
    return thread_id, hashes


async def test_a_poor_fee_payer_stops_and_goes_on_once_it_is_given_more(
    land: Field, caplog: pytest.LogCaptureFixture
) -> None:
    """It spends down to the rent-exempt minimum, says so once, and sends nothing until lamports come."""
    thread_id, hashes = await overdue(land, 3)
    async with land.keeper(lamports=RENT_OF_A_WALLET + 12_000) as keeper:
        with caplog.at_level(logging.ERROR):
            await keeper.one_pass()
            await keeper.one_pass()
        assert done(keeper) == {"expire": 2}
        assert keeper.report().state is KeeperState.OUT_OF_FUNDS
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert keeper.report().address in caplog.text
        assert counted(keeper, "sent") == [2, 0, 0, 0]
        await land.running.fund(keeper.report().address, 100_000, 0)
        await keeper.one_pass()
        assert keeper.report().state is KeeperState.RUNNING
        assert done(keeper) == {"expire": 3, "refund": 2}
    assert {(await land.message(thread_id, each)).status for each in hashes} == {MessageStatus.EXPIRED}


async def test_the_budget_of_an_hour_is_kept_across_restarts(land: Field) -> None:
    """With three fees' worth three are sent, and none by the same fee payer started anew."""
    await overdue(land, 4)
    settings = without_grace(AT_ONCE, budget=15_000)
    signer = await land.signer()
    async with land.keeper("first", settings=settings, signer=signer) as keeper:
        await keeper.one_pass()
        report = keeper.report()
        assert (done(keeper), report.state, report.spent) == ({"expire": 3}, KeeperState.OUT_OF_BUDGET, 15_000)
    async with land.keeper("first", settings=settings, signer=signer) as again:
        await again.one_pass()
        assert (done(again), again.report().state) == ({}, KeeperState.OUT_OF_BUDGET)
        assert again.report().spent == 15_000


async def test_a_new_hour_has_a_new_budget(land: Field) -> None:
    time = [7_200.0]
    async with open_sqlite_sessions(land.folder / "purse.sqlite3", lambda: time[0]) as store:
        address = str(land.running.admin.pubkey())
        purse = Purse(land.chain, store, address, 12_000, lambda: time[0])
        await purse.refresh()
        assert purse.reserve(5_000)
        assert purse.reserve(5_000)
        assert not purse.reserve(5_000)
        assert purse.is_exhausted
        await purse.settle(5_000, 5_000)
        await purse.settle(5_000, 0)
        assert purse.spent == 5_000
        assert purse.reserve(7_000)
        await purse.settle(7_000, 7_000)
        assert not purse.reserve(1)
        time[0] += 3_600
        assert (purse.spent, purse.is_exhausted) == (0, False)
        assert purse.reserve(12_000)


async def test_a_priority_fee_is_paid_and_counted(land: Field) -> None:
    """A million micro-lamports for each of 20,000 units makes 20,000 lamports more."""
    await overdue(land, 1)
    async with land.keeper(settings=without_grace(AT_ONCE, priority_fee=1_000_000)) as keeper:
        await keeper.one_pass()
        assert keeper.report().counts[Duty.EXPIRE].lamports == 25_000
        assert keeper.report().spent == 25_000
        (signature,) = await land.paid_by(keeper)
    raw = (await land.running.rpc("getTransaction", signature, {"encoding": "base64"}))["transaction"][0]
    transaction = decode_transaction(b64decode(raw), land.running.program_id)
    assert (transaction.compute_unit_limit, transaction.compute_unit_price) == (20_000, 1_000_000)
