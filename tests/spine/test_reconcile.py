"""The reconciler counts each conflict once for each time that it came about, tries again what failed, and never makes
who found it wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from chorale.announcements import Announcements
from chorale.domain.conflict import Conflict, ConflictCause, ConflictKind, ConflictRecord, Settlement
from chorale.domain.errors import StaleReadError
from chorale.limits import Limits
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.resolution import Resolution, Resolver
from chorale.reconciliation.warnings import Warnings
from datasources.metrics import PrometheusMeasures
from tests.patience import PATIENCE

LIMITS = Limits(reconcile_queue=3, reconcile_attempts=3, reconcile_at_once=2)
MISSING = Conflict(ConflictCause.CONTENT_MISSING, "Message:a", "t", "bytes", "no point")
WRONG = Conflict(ConflictCause.INDEX_WRONG, "Thread:t", "t", "sequence 3", "sequence 5")


class Scripted:
    """A resolver that answers what a test says, and tells what it was asked."""

    def __init__(self, answer: Callable[[Conflict, int], Resolution]) -> None:
        self.asked: list[Conflict] = []
        self.open = asyncio.Event()
        self.open.set()
        self._answer = answer

    async def resolve(self, conflict: Conflict) -> Resolution:
        self.asked.append(conflict)
        await self.open.wait()
        return self._answer(conflict, len(self.asked))


def always(settlement: Settlement) -> Scripted:
    return Scripted(lambda conflict, time: (settlement, "So."))


def reconciler_with(resolver: Resolver | None) -> Reconciler:
    resolvers = {} if resolver is None else dict.fromkeys(ConflictKind, resolver)
    return Reconciler(resolvers, ConflictLog(100), Announcements(100, 10), PrometheusMeasures(), LIMITS)


@pytest.fixture
async def working() -> AsyncIterator[Callable[[Resolver | None], Reconciler]]:
    """Reconcilers that work on what was found beside the test."""
    tasks: list[asyncio.Task[None]] = []

    def start(resolver: Resolver | None) -> Reconciler:
        made = reconciler_with(resolver)
        tasks.append(asyncio.create_task(made.run()))
        return made

    yield start
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


Working = Callable[[Resolver | None], Reconciler]


async def drained(reconciler: Reconciler) -> list[Settlement]:
    """Settlements in the log, oldest first, once all that was found is worked on."""
    async with asyncio.timeout(PATIENCE):
        await reconciler.drained()
    return [record.settlement for record in reversed(reconciler.log.before(None, 100))]


def counted(reconciler: Reconciler) -> int:
    measures = reconciler._measures
    return sum(measures.now().conflicts.values())


async def test_found_again_while_it_waits_is_one_conflict(working: Working) -> None:
    """However many requests meet it; who finds it does not wait for the resolver."""
    resolver = always(Settlement.RESOLVED)
    resolver.open.clear()
    reconciler = working(resolver)
    for _ in range(50):
        reconciler.found(WRONG)
        await asyncio.sleep(0)
    resolver.open.set()
    assert await drained(reconciler) == [Settlement.RESOLVED]
    assert (len(resolver.asked), counted(reconciler)) == (1, 1)
    assert len(reconciler._announcements.recent()) == 1


async def test_the_queue_is_bounded(working: Working) -> None:
    """What does not fit is left to the next verification."""
    resolver = always(Settlement.RESOLVED)
    reconciler = working(resolver)
    for number in range(10):
        reconciler.found(replace(WRONG, subject=f"Thread:{number}"))
    assert len(await drained(reconciler)) == LIMITS.reconcile_queue


class Gates:
    """A resolver that says when it begins, and lets each conflict through as the test says."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.changed = asyncio.Condition()

    async def resolve(self, conflict: Conflict) -> Resolution:
        self.begun.append(conflict.subject)
        self.gates[conflict.subject] = gate = asyncio.Event()
        async with self.changed:
            self.changed.notify_all()
        await gate.wait()
        return Settlement.RESOLVED, "So."

    async def has_begun(self, *subjects: str) -> None:
        """Wait until exactly these have begun, in any order."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(lambda: sorted(self.begun) == sorted(subjects))


async def test_threads_do_not_wait_for_one_another(working: Working) -> None:
    """As many as the limit says are worked on side by side; two of one thread never, and they keep their order."""
    resolver = Gates()
    reconciler = working(resolver)
    wanted = [("a", "first"), ("a", "second"), ("b", "third"), ("c", "fourth")]
    for thread_id, subject in wanted:
        reconciler.found(replace(WRONG, thread_id=thread_id, subject=subject))
        await asyncio.sleep(0)
    await resolver.has_begun("first", "third")  # LIMITS.reconcile_at_once is two
    resolver.gates["third"].set()
    await resolver.has_begun("first", "third", "fourth")
    resolver.gates["first"].set()
    await resolver.has_begun("first", "third", "fourth", "second")
    assert resolver.begun.index("first") < resolver.begun.index("second")
    resolver.gates["second"].set()
    resolver.gates["fourth"].set()
    assert await drained(reconciler) == [Settlement.RESOLVED] * 4


async def test_what_waits_for_bytes_is_counted_once_until_it_is_over(working: Working) -> None:
    """Reads, verifications and reports of one missing text are one conflict; after it was healed it may come again."""
    resolver = always(Settlement.AWAITING_CONTENT)
    reconciler = working(resolver)
    reconciler.found(MISSING)
    assert await drained(reconciler) == [Settlement.AWAITING_CONTENT]
    first = reconciler.log.before(None, 1)[0]
    assert await reconciler.settle(replace(MISSING, found="nothing", slot=7)) is first
    assert reconciler.report(MISSING) is first
    reconciler.found(MISSING)
    await drained(reconciler)
    assert counted(reconciler) == 1
    reconciler.healed("Message:a", "Supplied.")
    reconciler.healed("Message:a", "Supplied.")
    assert await drained(reconciler) == [Settlement.AWAITING_CONTENT, Settlement.RESOLVED]
    reconciler.found(MISSING)
    assert (await drained(reconciler))[2:] == [Settlement.AWAITING_CONTENT]


async def test_one_thread_cannot_make_the_others_new_again() -> None:
    """Whatever one thread lacks: what waits for bytes elsewhere stays one occurrence."""
    log = ConflictLog(100)
    limits = replace(LIMITS, conflict_log=10, reconcile_queue=100)
    resolvers = dict.fromkeys(ConflictKind, always(Settlement.AWAITING_CONTENT))
    reconciler = Reconciler(resolvers, log, Announcements(100, 10), PrometheusMeasures(), limits)
    await reconciler.settle(MISSING)
    for number in range(30):
        await reconciler.settle(replace(MISSING, thread_id="spam", subject=f"Message:{number}"))
    await reconciler.settle(MISSING)
    assert counted(reconciler) == 31


async def test_a_full_queue_has_room_for_other_threads(working: Working) -> None:
    """Of what one thread piles up there is less, not of the others' one conflict."""
    resolver = always(Settlement.RESOLVED)
    reconciler = working(resolver)
    for number in range(10):
        reconciler.found(replace(WRONG, thread_id="spam", subject=f"Message:{number}"))
    reconciler.found(WRONG)
    await drained(reconciler)
    assert WRONG in resolver.asked


async def test_a_flood_is_said_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """So many warnings of one cause a minute, then how many were held back; all are counted, other causes have their
    own."""
    now = 0.0
    warnings = Warnings(5, lambda: now)
    caplog.set_level("WARNING", "chorale.reconciliation.warnings")
    for number in range(100):
        warnings.warn(ConflictRecord(number, 0.0, MISSING, Settlement.AWAITING_CONTENT, "So.", 0.0))
    warnings.warn(ConflictRecord(0, 0.0, WRONG, Settlement.RESOLVED, "So.", 0.0))
    assert [record.getMessage().split()[0] for record in caplog.records] == ["CONTENT_MISSING"] * 5 + ["INDEX_WRONG"]
    caplog.clear()
    now = 61.0
    warnings.sum_up()
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("CONTENT_MISSING: 95 more within a minute")
    warnings.warn(ConflictRecord(0, 0.0, MISSING, Settlement.AWAITING_CONTENT, "So.", 0.0))
    assert len(caplog.records) == 2


async def test_a_flood_is_counted_whole(caplog: pytest.LogCaptureFixture) -> None:
    """What is not said one by one stands in the counters and in the log of conflicts."""
    caplog.set_level("WARNING", "chorale")
    limits = replace(LIMITS, conflict_warnings=5)
    resolvers = dict.fromkeys(ConflictKind, always(Settlement.AWAITING_CONTENT))
    reconciler = Reconciler(resolvers, ConflictLog(100), Announcements(100, 10), PrometheusMeasures(), limits)
    for number in range(40):
        await reconciler.settle(replace(MISSING, subject=f"Message:{number}"))
    assert len(caplog.records) == 5
    assert counted(reconciler) == len(reconciler.log.before(None, 100)) == 40


async def test_without_samples_what_waits_is_not_looked_at_without_end() -> None:
    """An interval of 0 stands for no samples, and not for looks without a pause."""
    resolver = always(Settlement.AWAITING_CONTENT)
    limits = replace(LIMITS, verification_interval=0)
    resolvers = dict.fromkeys(ConflictKind, resolver)
    reconciler = Reconciler(resolvers, ConflictLog(100), Announcements(100, 10), PrometheusMeasures(), limits)
    await reconciler.settle(MISSING)
    task = asyncio.create_task(reconciler.run())
    for _ in range(100):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(resolver.asked) == 1


async def test_each_time_that_it_is_resolved_is_a_time_that_it_came_about(working: Working) -> None:
    reconciler = working(always(Settlement.RESOLVED))
    for _ in range(3):
        reconciler.found(WRONG)
        await drained(reconciler)
    assert counted(reconciler) == 3


async def test_what_is_past_was_none_where_it_was_met_on_the_way(working: Working) -> None:
    """A race between two reads is no conflict; one that a verification has confirmed is, even if it has healed."""
    reconciler = working(Scripted(lambda conflict, time: None))
    reconciler.found(WRONG)
    assert await drained(reconciler) == []
    record = await reconciler.settle(WRONG)
    assert record.settlement is Settlement.RESOLVED


async def test_a_failure_is_tried_again_and_said_once(working: Working) -> None:
    """Raised or answered; the last attempt is what counts, and the same failure is not counted with each check."""

    def third(conflict: Conflict, time: int) -> Resolution:
        if time == 1:
            raise StaleReadError
        return (Settlement.FAILED, "Not yet.") if time == 2 else (Settlement.RESOLVED, "Done.")

    resolver = Scripted(third)
    reconciler = working(resolver)
    reconciler.found(WRONG)
    assert await drained(reconciler) == [Settlement.RESOLVED]
    assert len(resolver.asked) == 3

    never = always(Settlement.FAILED)
    reconciler = working(never)
    reconciler.found(WRONG)
    assert await drained(reconciler) == [Settlement.FAILED]
    assert len(never.asked) == LIMITS.reconcile_attempts
    await reconciler.settle(WRONG)
    assert counted(reconciler) == 1
    await reconciler.settle(replace(WRONG, found="sequence 6"))
    assert counted(reconciler) == 2


async def test_a_resolver_that_breaks_does_not_end_the_work(working: Working) -> None:
    """A mistake in one is logged; the next conflict has its turn."""

    def broken(conflict: Conflict, time: int) -> Resolution:
        if time == 1:
            raise KeyError("a mistake")
        return Settlement.RESOLVED, "Done."

    reconciler = working(Scripted(broken))
    reconciler.found(WRONG)
    reconciler.found(MISSING)
    assert await drained(reconciler) == [Settlement.RESOLVED]


async def test_without_a_resolver_it_is_said_and_stays_open(working: Working) -> None:
    reconciler = working(None)
    reconciler.found(WRONG)
    assert await drained(reconciler) == [Settlement.OPEN]
    assert (await reconciler.settle(WRONG)).settlement is Settlement.OPEN
    assert counted(reconciler) == 1
