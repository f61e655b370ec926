"""The index tells what went into and out of the treasury: exact sums, stable pages, nothing written twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chorale.domain.errors import InvalidInputError
from chorale.domain.events import EventKind
from chorale.domain.paging import PageRequest
from chorale.domain.projection import Projection
from chorale.domain.treasury import ChangeKind, Deposit, FlowKind, ProtocolChange, ProtocolProjection
from datasources.index import SqliteIndex
from tests.contract.index.samples import event, thread

LARGEST = 2**64 - 1


async def sweep(index: SqliteIndex, name: str, slot: int, amount: int) -> None:
    """A thread whose first event is a sweep."""
    account = thread(name, sequence=1)
    swept = replace(event(account, 1, kind=EventKind.SWEPT), slot=slot, amount=amount, signature=f"sweep {name}")
    await index.apply(Projection(account, slot, events=(swept,)))


def configured(sequence: int, admin: str, *, slot: int = 1) -> ProtocolChange:
    """New parameters."""
    return ProtocolChange(
        sequence, ChangeKind.CONFIGURED, slot, 7, f"change {sequence}", admin=admin, minimum_stake=LARGEST,
        approval_window=3600,
    )  # fmt: skip


def withdrawn(sequence: int, amount: int, *, slot: int = 1) -> ProtocolChange:
    """A payment."""
    return ProtocolChange(
        sequence, ChangeKind.WITHDRAWN, slot, 7, f"change {sequence}", amount=amount, destination="purse"
    )


async def test_sums_are_exact_beyond_what_sqlite_counts(index: SqliteIndex) -> None:
    """Amounts of 64 bits, and sums of more."""
    await sweep(index, "a", 1, LARGEST)
    await sweep(index, "b", 2, LARGEST)
    deposits = (Deposit("d", 3, 7, LARGEST), Deposit("e", 3, 7, 1))
    changes = (configured(1, "ana"), withdrawn(2, LARGEST))
    await index.apply_protocol(ProtocolProjection(2, LARGEST, 9, changes, deposits))
    totals = await index.treasury()
    assert (totals.swept, totals.deposited, totals.withdrawn) == (2 * LARGEST, LARGEST + 1, LARGEST)
    assert totals.unexplained == LARGEST - totals.explained == -LARGEST - 1
    [change] = (await index.protocol_changes(PageRequest(first=5))).changes
    assert change == configured(1, "ana")


async def test_what_is_known_is_never_overwritten(index: SqliteIndex) -> None:
    """The same again changes nothing, and a look that read earlier takes nothing back."""
    await index.apply_protocol(ProtocolProjection(2, 5, 20, (configured(1, "ana"),), (Deposit("d", 3, 7, 5),)))
    before = await index.treasury()
    again = ProtocolProjection(2, 5, 20, (configured(1, "eve"),), (Deposit("d", 3, 7, 9),))
    await index.apply_protocol(again)
    await index.apply_protocol(ProtocolProjection(1, 0, 19))
    assert await index.treasury() == before
    assert (before.sequence, before.changes, before.unexplained) == (2, 1, 0)
    assert await index.protocol_sequences() == {1}


async def test_an_admin_is_named_only_where_no_change_is_missing(index: SqliteIndex) -> None:
    """A withdrawal behind a gap may be another's."""
    changes = (withdrawn(1, 1, slot=1), configured(2, "ana"), withdrawn(3, 3, slot=3), withdrawn(5, 5, slot=5))
    await index.apply_protocol(ProtocolProjection(5, 0, 9, changes))
    flows = (await index.treasury_flows(PageRequest(first=9))).flows
    assert [(flow.sequence, flow.admin) for flow in flows] == [(5, None), (3, "ana"), (1, None)]
    await index.apply_protocol(ProtocolProjection(5, 0, 9, (configured(4, "ben"),)))
    flows = (await index.treasury_flows(PageRequest(first=9))).flows
    assert [(flow.sequence, flow.admin) for flow in flows] == [(5, "ben"), (3, "ana"), (1, None)]


async def test_pages_run_through_all_kinds_of_flows(index: SqliteIndex) -> None:
    """By slot, and within a slot by a name that a rebuilt index gives again; in pages of any size, both ways."""
    for name, slot in (("a", 1), ("b", 2), ("c", 2)):
        await sweep(index, name, slot, 10)
    deposits = tuple(Deposit(f"deposit {slot}", slot, 7, 1) for slot in (1, 2, 3))
    changes = (configured(1, "ana"), withdrawn(2, 4, slot=2), withdrawn(3, 4, slot=4))
    await index.apply_protocol(ProtocolProjection(3, 25, 9, changes, deposits))
    whole = (await index.treasury_flows(PageRequest(first=100))).flows
    assert [flow.slot for flow in whole] == [4, 3, 2, 2, 2, 2, 1, 1]
    assert {flow.kind for flow in whole} == set(FlowKind)
    for size in (1, 2, 3, 7, 8, 9):
        forward, backward = [], []
        after = before = None
        while True:
            found = await index.treasury_flows(PageRequest(first=size, after=after))
            forward += found.flows
            assert found.page.has_previous is (after is not None)
            after = found.page.rows[-1].key
            if not found.page.has_next:
                break
        while True:
            found = await index.treasury_flows(PageRequest(last=size, before=before))
            backward = [*found.flows, *backward]
            assert found.page.has_next is (before is not None)
            before = found.page.rows[0].key
            if not found.page.has_previous:
                break
        assert tuple(forward) == tuple(backward) == whole


async def test_a_cursor_of_another_list_is_refused(index: SqliteIndex) -> None:
    """Keys are a number and a name."""
    for key in (("x", 1), (1,), (1, 2)):
        with pytest.raises(InvalidInputError):
            await index.treasury_flows(PageRequest(first=1, after=key))


async def test_whoever_waits_for_the_protocol_is_woken(index: SqliteIndex) -> None:
    """And is told where it does not come."""
    assert not await index.wait_for_protocol(1, 0.01)
    await index.apply_protocol(ProtocolProjection(1, 0, 1, (configured(1, "ana"),)))
    assert await index.wait_for_protocol(1, 0.01)


async def test_what_is_forgotten_leaves_no_trace_and_may_be_told_again(index: SqliteIndex) -> None:
    """Only what is exactly as it was seen goes, out of pages and sums; the progress goes back to before it."""
    deposits = (Deposit("d", 3, 7, LARGEST), Deposit("e", 8, 7, 1))
    changes = (configured(1, "ana"), withdrawn(2, LARGEST, slot=9), configured(3, "eve", slot=9))
    await index.apply_protocol(ProtocolProjection(3, 1, 9, changes, deposits))
    seen = await index.protocol_transactions(1, 10)
    assert [(each.signature, each.slot, each.sequence) for each in seen] == [
        ("change 3", 9, 3), ("change 2", 9, 2), ("e", 8, 0), ("d", 3, 0),
    ]  # fmt: skip
    elsewhere = [replace(each, slot=7) for each in seen]
    await index.forget_transactions(elsewhere)
    assert len(await index.protocol_transactions(0, 10)) == 5
    await index.apply_protocol(ProtocolProjection(3, 1, 9))
    await index.forget_transactions([each for each in seen if each.slot >= 8])
    totals = await index.treasury()
    assert (totals.sequence, totals.changes, totals.deposited, totals.withdrawn) == (1, 1, LARGEST, 0)
    assert totals.slot == 7
    await index.apply_protocol(ProtocolProjection(2, LARGEST - 5, 9, (withdrawn(2, 5, slot=9),)))
    totals = await index.treasury()
    assert (totals.sequence, totals.withdrawn, totals.unexplained) == (2, 5, 0)
