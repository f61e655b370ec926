"""Verifications: one complete one at a time, joined, cancelled, announced, never brought down by what they check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest

from chorale.announcements import Announcements
from chorale.boundaries import Boundaries
from chorale.checking.findings import Checked
from chorale.domain.boundaries import AnnouncementKind, BoundaryName
from chorale.domain.conflict import Conflict, ConflictCause, ConflictKind, Settlement
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.resolution import Resolution
from datasources.metrics import PrometheusMeasures
from tests.patience import PATIENCE

WRONG = Conflict(ConflictCause.INDEX_WRONG, "Message:ab", "cd", "status PENDING", "status PUBLISHED")


@dataclass
class Scripted:
    """A boundary that gives its batches once it may go on; an exception among them is raised."""

    batches: list[Checked | Exception]
    name: BoundaryName = BoundaryName.SOLANA_STATE
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)
    looked: int = 0

    async def whole(self) -> AsyncGenerator[Checked, None]:
        self.looked += 1
        for batch in self.batches:
            await self.may_go_on.wait()
            if isinstance(batch, Exception):
                raise batch
            yield batch

    async def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        async for batch in self.whole():
            yield batch


class Healing:
    """Resolves everything."""

    async def resolve(self, conflict: Conflict) -> Resolution:
        return Settlement.RESOLVED, "Healed."


def boundaries(*checkers: Scripted, limits: Limits | None = None) -> tuple[Boundaries, Announcements]:
    limits = limits or Limits()
    announcements = Announcements(100, 100)
    reconciler = Reconciler(
        {ConflictKind.OWNERSHIP: Healing()}, ConflictLog(100), announcements, PrometheusMeasures(10), limits
    )
    return Boundaries(checkers, reconciler, announcements, limits), announcements


async def test_whoever_asks_meanwhile_joins() -> None:
    """Two callers get one verification, whose report is readable while it runs."""
    checker = Scripted([Checked(2, (), 5), Checked(3)])
    house, _ = boundaries(checker)
    assert (house.running(), house.latest()) == (None, None)
    both = [asyncio.create_task(house.verify(repair=False)) for _ in range(2)]
    await asyncio.sleep(0)
    running = house.running()
    assert running is not None
    assert (running.finished_at, running.complete) == (None, True)
    checker.may_go_on.set()
    first, second = await asyncio.gather(*both)
    assert first == second == house.latest()
    assert (checker.looked, first.total, first.boundaries[0].checked) == (1, 5, 5)
    assert house.running() is None


async def test_who_wants_repair_waits_for_one_that_repairs() -> None:
    """A verification that only looks is waited for, not taken for one that heals; the other way round it is joined."""
    checker = Scripted([Checked(1, (WRONG,))])
    house, _ = boundaries(checker)
    looking = asyncio.create_task(house.verify(repair=False))
    await asyncio.sleep(0)
    healing = asyncio.create_task(house.verify(repair=True))
    checker.may_go_on.set()
    assert [record.settlement for record in (await looking).records] == [Settlement.OPEN]
    report = await healing
    assert (checker.looked, report.repair, report.boundaries[0].healed) == (2, True, 1)
    checker.may_go_on.clear()
    repairing = house.begin(repair=True)
    assert house.begin(repair=False) is repairing
    await house.cancel()


@pytest.mark.parametrize("begun", [False, True])
async def test_cancelled_ones_say_so(begun: bool) -> None:
    """What was not checked to its end names that as its problem, whenever it was cancelled; another may follow."""
    done = Scripted([Checked(1)], BoundaryName.SOLANA_STATE)
    done.may_go_on.set()
    open_ended = Scripted([Checked(1)], BoundaryName.QDRANT_CONTENT)
    house, announcements = boundaries(done, open_ended)
    waiting = asyncio.create_task(house.verify(repair=True))
    house.begin(repair=True)
    while begun and not open_ended.looked:
        await asyncio.sleep(0)
    await house.cancel()
    report = await waiting
    assert [bool(found.problem) for found in report.boundaries] == [not begun, True]
    assert report.finished_at is not None
    assert announcements.recent()[-1].kind is AnnouncementKind.VERIFICATION_FINISHED
    open_ended.may_go_on.set()
    assert [found.problem for found in (await house.verify(repair=False)).boundaries] == ["", ""]


async def test_a_caller_who_leaves_ends_nothing() -> None:
    """The verification goes on, and its report is kept."""
    checker = Scripted([Checked(4)])
    house, _ = boundaries(checker)
    leaving = asyncio.create_task(house.verify(repair=False))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert house.running() is not None
    checker.may_go_on.set()
    assert (await house.verify(repair=False)).boundaries[0].checked == 4
    assert checker.looked == 1


@pytest.mark.parametrize(
    "failure", [AuthorityUnavailableError(Authority.SOLANA, "Solana is away."), ValueError("unexpected")]
)
async def test_what_cannot_be_checked_is_a_problem_and_no_conflict(failure: Exception) -> None:
    """The other boundaries are checked all the same, and the next verification begins anew."""
    away = Scripted([Checked(1), failure], BoundaryName.SOLANA_STATE)
    there = Scripted([Checked(7)], BoundaryName.QDRANT_CONTENT)
    for checker in (away, there):
        checker.may_go_on.set()
    house, _ = boundaries(away, there)
    report = await house.verify(repair=True)
    assert [(found.checked, found.conflicts, bool(found.problem)) for found in report.boundaries] == [
        (1, 0, True),
        (7, 0, False),
    ]
    away.batches.pop()
    await house.verify(repair=True, complete=False)
    assert [(found.checked, found.problem) for found in house.findings()] == [(2, ""), (14, "")]


async def test_operators_hear_of_it_at_a_bounded_rate() -> None:
    """A start, at most one progress a second, an end; conflicts each for itself, of which the newest are kept."""
    many = [Checked(1, (Conflict(ConflictCause.INDEX_WRONG, f"Message:{n}", "cd", "a", "b"),), 1) for n in range(30)]
    checker = Scripted([*many])
    checker.may_go_on.set()
    house, announcements = boundaries(checker, limits=Limits(verification_records=20))
    report = await house.verify(repair=True)
    kinds = [said.kind for said in announcements.recent()]
    assert kinds[0] is AnnouncementKind.VERIFICATION_STARTED
    assert kinds[-1] is AnnouncementKind.VERIFICATION_FINISHED
    assert 1 <= kinds.count(AnnouncementKind.VERIFICATION_PROGRESS) < 30
    assert kinds.count(AnnouncementKind.CONFLICT) == 30
    assert [record.conflict.subject for record in report.records] == [f"Message:{n}" for n in range(10, 30)]
    assert (report.boundaries[0].conflicts, report.boundaries[0].healed) == (30, 30)


async def test_samples_are_taken_again_and_again() -> None:
    """In the background, with repair, without a word about their beginning and end."""
    checker = Scripted([Checked(1, (WRONG,))])
    checker.may_go_on.set()
    house, announcements = boundaries(checker, limits=Limits(verification_interval=0.01))
    sampling = asyncio.create_task(house.run())
    async with asyncio.timeout(PATIENCE):
        while checker.looked < 3:
            await asyncio.sleep(0.01)
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
    assert {said.kind for said in announcements.recent()} == {AnnouncementKind.CONFLICT}
    assert house.latest() is None
