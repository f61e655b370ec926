"""The protocol's lane tells what the chain tells, costs one read where nothing happened, and invents nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.paging import PageRequest
from chorale.domain.treasury import FlowKind, TreasuryTotals
from chorale.domain.updates import Authority
from chorale.projection import protocol_history, protocol_lane
from tests.chains import MINIMUM_STAKE, RunningChain, mint_to
from tests.patience import PATIENCE
from tests.spine.protocol_bench import Bench, opened, own_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningChain]:
    with own_chain(tmp_path_factory.mktemp("protocol")) as running:
        yield running


@pytest.fixture
async def bench(chain: RunningChain, tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(chain, tmp_path) as made:
        yield made


async def test_a_look_finds_everything_and_the_next_one_costs_a_read(bench: Bench) -> None:
    """From the initialisation on; the flows make the balance, the changes the account."""
    deposit = await bench.mint(1_000)
    paid = await bench.send(bench.withdrawal(300))
    configured = await bench.configure(MINIMUM_STAKE + 1)
    await bench.lane.look()
    totals = await bench.index.treasury()
    assert totals.unexplained == 0
    assert totals.changes == totals.sequence
    assert {(FlowKind.DEPOSITED, 1_000, deposit), (FlowKind.WITHDRAWN, 300, paid)} <= set(await bench.flows())
    changes = await bench.changes()
    assert changes[0] == (totals.sequence, MINIMUM_STAKE + 1, str(bench.running.admin.pubkey()))
    assert changes[-1][0] == 1
    newest = await bench.index.protocol_changes_at([totals.sequence])
    assert [change.signature for change in newest] == [configured]

    bench.chain.calls.clear()
    await bench.lane.look()
    assert bench.chain.calls == {"accounts": 1}


async def test_a_transaction_that_is_known_is_settled_without_any_history(bench: Bench) -> None:
    """As the watcher hears of it, and once more as its mutation asks."""
    await bench.lane.look()
    signature = await bench.configure(MINIMUM_STAKE + 2)
    record = await bench.chain.transaction(signature)
    bench.chain.calls.clear()
    await bench.lane.settle(signature, record=record)
    await bench.lane.settle(signature, record=record)
    assert bench.chain.calls == {"accounts": 1}
    assert (await bench.changes())[0][1] == MINIMUM_STAKE + 2


async def test_what_one_transaction_does_twice_is_told_twice(bench: Bench) -> None:
    """Two withdrawals and a deposit in one transaction are three flows."""
    await bench.mint(100)
    treasury = Pubkey.from_string(bench.running.addresses.treasury())
    mint = mint_to(Pubkey.from_string(bench.running.mint), treasury, bench.running.admin.pubkey(), 7)
    signature = await bench.send(bench.withdrawal(30), mint, bench.withdrawal(20))
    await bench.lane.look()
    of_it = [(kind, amount) for kind, amount, of in await bench.flows() if of == signature]
    assert sorted(of_it) == [(FlowKind.DEPOSITED, 7), (FlowKind.WITHDRAWN, 20), (FlowKind.WITHDRAWN, 30)]
    page = await bench.index.treasury_flows(PageRequest(first=100))
    assert page.totals.unexplained == 0
    admins = {flow.admin for flow in page.flows if flow.kind is FlowKind.WITHDRAWN}
    assert admins == {str(bench.running.admin.pubkey())}


async def test_changes_are_found_after_the_admin_has_changed(bench: Bench) -> None:
    """Those of a former admin stand in the account's own history."""
    heir = Keypair()
    await bench.configure(MINIMUM_STAKE + 3, to=heir)
    await bench.configure(MINIMUM_STAKE + 4, admin=heir)
    await bench.configure(MINIMUM_STAKE + 5, admin=heir, to=bench.running.admin)
    await bench.lane.look()
    mine, theirs = str(bench.running.admin.pubkey()), str(heir.pubkey())
    assert [(stake, admin) for _, stake, admin in (await bench.changes())[:3]] == [
        (MINIMUM_STAKE + 5, mine),
        (MINIMUM_STAKE + 4, theirs),
        (MINIMUM_STAKE + 3, theirs),
    ]
    totals = await bench.index.treasury()
    assert totals.changes == totals.sequence


async def test_forgotten_history_is_told_as_missing(bench: Bench) -> None:
    """A node that has pruned what is old: the rest of the balance is unexplained, and the search ends."""
    await bench.mint(500)
    await bench.send(bench.withdrawal(40))
    kept = await bench.mint(11)
    bench.chain.remembers = lambda entry: entry.signature == kept
    for _ in range(6):
        await bench.lane.look()
    totals = await bench.index.treasury()
    assert await bench.flows() == [(FlowKind.DEPOSITED, 11, kept)]
    assert await bench.changes() == []
    assert (totals.changes, totals.explained) == (0, 11)
    assert totals.sequence > 0
    assert totals.unexplained > 0
    bench.chain.calls.clear()
    await bench.lane.look()
    assert bench.chain.calls == {"accounts": 1}

    later = await bench.send(bench.withdrawal(5))
    bench.chain.remembers = lambda entry: entry.signature in (kept, later)
    await bench.lane.look()
    flows = (await bench.index.treasury_flows(PageRequest(first=2))).flows  # of one slot perhaps: in no order
    [paid] = [flow for flow in flows if flow.kind is FlowKind.WITHDRAWN]
    assert (paid.signature, paid.admin) == (later, None)  # who was admin before is not known
    after = await bench.index.treasury()
    assert (after.unexplained, after.sequence - after.changes) == (totals.unexplained, totals.sequence)


async def test_a_node_that_lags_is_asked_again(bench: Bench) -> None:
    """What is listed and not served yet, or not listed yet, comes with a later look."""
    await bench.lane.look()
    before = await bench.index.treasury()
    sent = await bench.mint(21)
    bench.chain.serves = False
    await bench.lane.look()
    assert (await bench.index.treasury()).unexplained == before.unexplained + 21
    bench.chain.serves = True
    await bench.lane.look()
    assert (await bench.index.treasury()).unexplained == 0
    assert (FlowKind.DEPOSITED, 21, sent) in await bench.flows()

    configured = await bench.configure(MINIMUM_STAKE + 6)
    bench.chain.remembers = lambda entry: entry.signature != configured
    await bench.lane.look()
    assert (await bench.index.treasury()).changes == before.changes
    bench.chain.remembers = lambda _: True
    await bench.lane.look()
    totals = await bench.index.treasury()
    assert totals.changes == totals.sequence == before.sequence + 1


async def test_what_is_listed_and_not_served_for_long_is_found_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many slots the node takes to serve a deposit that it lists: the next search reaches back to it."""
    monkeypatch.setattr(protocol_lane, "_OVERLAP", 0)
    await bench.lane.look()
    sent = await bench.mint(23)
    bench.chain.serves = False
    for _ in range(8):
        slot = await bench.chain.slot()
        await bench.lane.look()
        async with asyncio.timeout(PATIENCE):
            while await bench.chain.slot() <= slot:
                await asyncio.sleep(0.05)
    bench.chain.serves = True
    later = await bench.mint(2)
    await bench.lane.look()
    assert (await bench.index.treasury()).unexplained == 0
    assert {(FlowKind.DEPOSITED, 23, sent), (FlowKind.DEPOSITED, 2, later)} <= set(await bench.flows())


async def test_a_look_that_is_broken_off_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had found by then, and could not keep, the next one finds again."""
    await bench.lane.look()
    sent = await bench.mint(44)

    async def away(projection: object) -> None:
        raise AuthorityUnavailableError(Authority.BACKEND)

    with monkeypatch.context() as broken, pytest.raises(AuthorityUnavailableError):
        broken.setattr(bench.index, "apply_protocol", away)
        await bench.lane.look()
    await bench.lane.look()
    assert (FlowKind.DEPOSITED, 44, sent) in await bench.flows()


async def test_a_cut_log_invents_no_deposit(bench: Bench) -> None:
    """A balance that grew is nobody's deposit where the log may have lost a sweep."""
    sent = await bench.mint(33)
    bench.chain.alter = lambda record: replace(record, events=(), logs_cut=True) if record.signature == sent else record
    await bench.lane.look()
    assert sent not in [signature for _, _, signature in await bench.flows()]
    assert (await bench.index.treasury()).unexplained == 33


async def test_a_search_has_an_end(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a number of looks what is not explained is left at that, until something happens."""
    monkeypatch.setattr(protocol_lane, "_LATER", 2)
    await bench.mint(3)
    bench.chain.serves = False
    searches = []
    for _ in range(5):
        bench.chain.calls.clear()
        await bench.lane.look()
        searches.append(bench.chain.calls["history"] > 0)
    assert searches == [True, True, True, False, False]


async def test_a_long_search_goes_on_at_the_next_look(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one search does not reach the next ones do, beside what has come since."""
    monkeypatch.setattr(protocol_history, "_MOST", 4)
    monkeypatch.setattr(protocol_history, "_PAGE", 2)
    monkeypatch.setattr(protocol_lane, "_LATER", 0)
    made = [await bench.mint(amount) for amount in (11, 12, 13, 14, 15, 16, 17)]
    await bench.lane.look()
    assert made[0] not in {signature for _, _, signature in await bench.flows()}
    made.append(await bench.mint(18))
    for _ in range(40):  # this chain's treasury has a longer history than this test's
        if (await bench.index.treasury()).unexplained == 0:
            break
        await bench.lane.look()
    assert set(made) <= {signature for _, _, signature in await bench.flows()}
    assert (await bench.index.treasury()).unexplained == 0
    for _ in range(40):
        bench.chain.calls.clear()
        await bench.lane.look()
        if not bench.chain.calls["history"]:
            break
    assert bench.chain.calls["history"] == 0  # it has an end


async def test_a_rebuilt_index_tells_the_same(chain: RunningChain, tmp_path: Path) -> None:
    """Looked at step by step, or all at once from an empty file."""

    async def told(bench: Bench) -> tuple[Any, Any, TreasuryTotals]:
        totals = await bench.index.treasury()
        return await bench.flows(), await bench.changes(), replace(totals, slot=0)

    async with opened(chain, tmp_path / "old") as bench:
        await bench.lane.look()
        await bench.mint(5)
        await bench.lane.look()
        await bench.configure(MINIMUM_STAKE + 7)
        await bench.send(bench.withdrawal(2))
        await bench.lane.look()
        before = await told(bench)
    async with opened(chain, tmp_path / "old") as bench:  # restarted: nothing to search for
        await bench.lane.look()
        assert bench.chain.calls == {"accounts": 1}
        assert await told(bench) == before
    async with opened(chain, tmp_path / "new") as bench:
        await bench.lane.look()
        assert await told(bench) == before
