"""The four boundaries, verified: sampled all the time, completely on demand, each against its authority.

What disagrees goes to `reconcile`, which resolves it by the authority where repair is asked for and reports it where
not. An authority that is away is a boundary's problem in the report, never a conflict.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from chorale.announcements import Announcements
from chorale.checking.findings import Checker
from chorale.checking.run import Run
from chorale.domain.boundaries import BoundaryFindings, BoundaryName, VerificationReport
from chorale.limits import Limits
from chorale.reconcile import Reconciler

_log = logging.getLogger(__name__)


class Boundaries:
    """One for the process. One complete verification runs at a time: whoever asks meanwhile joins it, or waits for it
    where it does not repair and they want that."""

    def __init__(
        self, checkers: Sequence[Checker], reconciler: Reconciler, announcements: Announcements, limits: Limits
    ) -> None:
        self._checkers = checkers
        self._reconciler = reconciler
        self._announcements = announcements
        self._limits = limits
        self._number = 0
        self._running: Run | None = None
        self._task: asyncio.Task[VerificationReport] | None = None
        self._latest: VerificationReport | None = None
        self._since_start = {checker.name: BoundaryFindings(checker.name) for checker in checkers}

    @property
    def interval(self) -> float:
        """Seconds between samples; 0: never."""
        return self._limits.verification_interval

    async def verify(self, *, repair: bool, complete: bool = True) -> VerificationReport:
        """Check the boundaries and wait for the report; what cannot be checked is a boundary's problem in it.

        A caller who is cancelled leaves a complete verification running: see `cancel`.
        """
        if not complete:
            return await self._made(repair=repair, complete=False).to_the_end()
        while True:
            run = self.begin(repair=repair)
            task = self._task
            assert task is not None
            await asyncio.wait([task])
            if run.repair or not repair or task.cancelled():
                return run.report()

    def begin(self, *, repair: bool) -> Run:
        """Start a complete verification, or join the one that runs."""
        if self._running is None:
            run = self._made(repair=repair, complete=True)
            self._running = run
            self._task = asyncio.create_task(run.to_the_end(), name=f"verification {run.number}")
            self._task.add_done_callback(lambda _: self._ended(run))
        return self._running

    async def cancel(self) -> None:
        """End the complete verification that runs; its report says that it was cancelled."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def run(self) -> None:
        """Sample every boundary, again and again, with repair, until cancelled."""
        while True:
            await asyncio.sleep(self.interval)
            try:
                await self.verify(repair=True, complete=False)
            except Exception:  # noqa: BLE001 -- the next sample may do without it
                _log.exception("A sample of the boundaries failed")

    def running(self) -> VerificationReport | None:
        """What the complete verification under way has found so far; None where none runs."""
        return None if self._running is None else self._running.report()

    def latest(self) -> VerificationReport | None:
        """The last complete verification that ended; None before the first."""
        return self._latest

    def findings(self) -> tuple[BoundaryFindings, ...]:
        """Each boundary since the process began, samples included; `problem` is that of its last check."""
        return tuple(self._since_start.values())

    def _made(self, *, repair: bool, complete: bool) -> Run:
        self._number += 1
        return Run(
            self._number,
            self._checkers,
            self._reconciler,
            self._announcements,
            self._limits,
            repair=repair,
            complete=complete,
            note=self._note,
        )

    def _ended(self, run: Run) -> None:
        run.give_up()  # where it was cancelled before it began
        self._running = None
        self._latest = run.report()

    def _note(self, name: BoundaryName, checked: int, conflicts: int, healed: int, problem: str) -> None:
        known = self._since_start[name]
        self._since_start[name] = BoundaryFindings(
            name, known.checked + checked, known.conflicts + conflicts, known.healed + healed, problem, time.time()
        )
