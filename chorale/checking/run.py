"""One verification: every boundary in turn, batch by batch, with its report readable while it runs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

from chorale.announcements import Announcements
from chorale.checking.findings import Checked, Checker
from chorale.domain.boundaries import AnnouncementKind, BoundaryFindings, BoundaryName, VerificationReport
from chorale.domain.conflict import OF_ROWS, Conflict, ConflictRecord, Settlement
from chorale.domain.errors import ChoraleError
from chorale.limits import Limits
from chorale.reconcile import Reconciler

_log = logging.getLogger(__name__)

_SAID_EVERY = 1.0  # s between announcements of progress
_HEALED = frozenset({Settlement.RESOLVED, Settlement.CLIENT_TOLD})
_CANCELLED = "The verification was cancelled."


class Note(Protocol):
    """Takes what one batch has added to a boundary."""

    def __call__(self, name: BoundaryName, checked: int, conflicts: int, healed: int, problem: str) -> None:
        """Counts of the batch; `problem` is "" while the boundary can be checked."""


class Run:
    """A verification under way. `report` may be read at any time."""

    def __init__(
        self,
        number: int,
        checkers: Sequence[Checker],
        reconciler: Reconciler,
        announcements: Announcements,
        limits: Limits,
        *,
        repair: bool,
        complete: bool,
        note: Note,
    ) -> None:
        self.number = number
        self.repair = repair
        self._complete = complete
        self._left = deque(checkers)
        self._reconciler = reconciler
        self._announcements = announcements
        self._sample = limits.verification_sample
        self._note = note
        self._started_at = time.time()
        self._finished_at: float | None = None
        self._total = 0
        self._found = {checker.name: BoundaryFindings(checker.name) for checker in checkers}
        self._records: deque[ConflictRecord] = deque(maxlen=limits.verification_records)
        self._said_at = 0.0
        self._places = asyncio.Semaphore(limits.reconcile_at_once)

    async def to_the_end(self) -> VerificationReport:
        """Check everything; the report. Only the complete kind is announced."""
        self._say(AnnouncementKind.VERIFICATION_STARTED, f"Verification {self.number} began.")
        try:
            while self._left:
                await self._check(self._left[0])
                self._left.popleft()
        finally:
            self.give_up()
        return self.report()

    def give_up(self) -> None:
        """Say that it has ended, and of what was not checked to its end, why."""
        if self._finished_at is not None:
            return
        for checker in self._left:
            self._add(checker.name, 0, 0, 0, _CANCELLED)
        self._finished_at = time.time()
        self._say(AnnouncementKind.VERIFICATION_FINISHED, f"Verification {self.number} ended: {self._sums()}.")

    def report(self) -> VerificationReport:
        """What has been found so far."""
        return VerificationReport(
            self.number,
            self._complete,
            self.repair,
            self._started_at,
            self._finished_at,
            self._total,
            tuple(self._found.values()),
            tuple(self._records),
        )

    async def _check(self, checker: Checker) -> None:
        problem = ""
        try:
            batches: AsyncGenerator[Checked, None] = checker.whole() if self._complete else checker.sample(self._sample)
            async with aclosing(batches):
                async for batch in batches:
                    await self._take(checker.name, batch)
                    await asyncio.sleep(0)  # requests go first
        except ChoraleError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 -- what was not looked at to its end must not pass for right
            _log.exception("The check of %s failed", checker.name)
            problem = f"The check failed inside the server ({type(error).__name__})."
        self._add(checker.name, 0, 0, 0, problem)

    async def _take(self, name: BoundaryName, batch: Checked) -> None:
        self._total += batch.expected
        records = await self._told_all(batch.conflicts)
        self._records += records
        healed = sum(record.settlement in _HEALED for record in records)
        self._add(name, batch.entities, len(records), healed, "")
        now = time.monotonic()
        if now - self._said_at >= _SAID_EVERY:
            self._said_at = now
            self._say(AnnouncementKind.VERIFICATION_PROGRESS, f"Verification {self.number}: {self._sums()}.")

    async def _told_all(self, conflicts: Sequence[Conflict]) -> list[ConflictRecord]:
        """What became of conflicts, in their order. Each may wait until the chain has finalized, so that those of
        different threads or points wait together; rows of one thread are replaced as a whole, one conflict at a time.
        """
        lanes: dict[str, list[int]] = {}
        for at, conflict in enumerate(conflicts):
            lanes.setdefault(conflict.thread_id if conflict.cause in OF_ROWS else conflict.subject, []).append(at)
        records: dict[int, ConflictRecord | None] = {}

        async def work(lane: Sequence[int]) -> None:
            async with self._places:
                for at in lane:
                    records[at] = await self._told(conflicts[at])

        async with asyncio.TaskGroup() as tasks:
            for lane in lanes.values():
                tasks.create_task(work(lane), name="settle conflicts")
        return [record for at in range(len(conflicts)) if (record := records[at]) is not None]

    async def _told(self, conflict: Conflict) -> ConflictRecord | None:
        """What became of a conflict; None where it was gone when it was to be settled, often with another one."""
        return await self._reconciler.settle(conflict) if self.repair else self._reconciler.report(conflict)

    def _add(self, name: BoundaryName, checked: int, conflicts: int, healed: int, problem: str) -> None:
        known = self._found[name]
        self._found[name] = BoundaryFindings(
            name, known.checked + checked, known.conflicts + conflicts, known.healed + healed, problem, time.time()
        )
        self._note(name, checked, conflicts, healed, problem)

    def _say(self, kind: AnnouncementKind, detail: str) -> None:
        if self._complete:
            self._announcements.announce(kind, detail)

    def _sums(self) -> str:
        found = self._found.values()
        checked, conflicts = sum(f.checked for f in found), sum(f.conflicts for f in found)
        return f"{checked} of {max(self._total, checked)} looked at, {conflicts} conflicts"
