"""Reconciliation: takes a conflict from whoever found it, has its kind's resolver settle it by the authority, and sees
that it is counted, logged and announced, once for each time that it really came about.

Who verifies asks and waits: `settle`, or `report`. Who meets a conflict on the way to something else hands it over and
goes on: `found`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping

from chorale.announcements import Announcements
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.conflict import Conflict, ConflictKind, ConflictRecord, Settlement
from chorale.domain.content import ContentKey, ContentState
from chorale.domain.errors import ChoraleError
from chorale.domain.measures import Measures
from chorale.limits import Limits
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.found import Found
from chorale.reconciliation.open_conflicts import OpenConflicts
from chorale.reconciliation.resolution import Resolution, Resolver
from chorale.reconciliation.sightings import content_conflict
from chorale.reconciliation.warnings import MINUTE, Warnings

_NOBODY = "Reported; nothing resolves this kind here."
_PAST = "It was no longer so when the authority was read again."
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0  # s between attempts, doubling, with jitter


class Reconciler:
    """One for all who find conflicts. A kind without a resolver is reported and stays OPEN."""

    def __init__(
        self,
        resolvers: Mapping[ConflictKind, Resolver],
        log: ConflictLog,
        announcements: Announcements,
        measures: Measures,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self.log = log
        self._resolvers = dict(resolvers)
        self._announcements = announcements
        self._measures = measures
        self._attempts = limits.reconcile_attempts
        self._interval = limits.verification_interval or Limits.verification_interval  # 0: no samples, and looks still
        self._warnings = Warnings(limits.conflict_warnings)
        self._open = OpenConflicts(limits.conflict_log)
        self._found = Found(
            limits.reconcile_queue,
            limits.reconcile_at_once,
            lambda depth: measures.queue_depth("reconcile", depth),
        )

    def equip(self, resolvers: Mapping[ConflictKind, Resolver]) -> None:
        """Give it its resolvers, once what they write through is open."""
        self._resolvers = dict(resolvers)

    async def settle(self, conflict: Conflict) -> ConflictRecord:
        """Have it resolved now. Never raises ChoraleError: what could not be done is FAILED in the record."""
        begun = time.monotonic()
        resolution = await self._tried(conflict)
        if resolution is None:
            resolution = Settlement.RESOLVED, _PAST
        return self.record(conflict, *resolution, seconds=time.monotonic() - begun)

    def report(self, conflict: Conflict) -> ConflictRecord:
        """Say it and leave it as it is; what is known of it already stays said."""
        known = self._open.of(conflict)
        return known or self.record(conflict, Settlement.OPEN, "Reported; repair was not asked for.")

    def found(self, conflict: Conflict) -> None:
        """Hand over what was met on the way, without waiting: `run` works on it. What turns out to be past by then was
        none; what is known to wait for bytes is looked at again and not counted again."""
        if not self._open.is_fresh(conflict):
            self._found.put(conflict)

    def met(self, key: ContentKey, state: ContentState) -> None:
        """The same for bytes that were asked for and cannot be served."""
        conflict = content_conflict(key, state)
        if conflict is not None:
            self.found(conflict)

    async def run(self) -> None:
        """Work on what was found until cancelled, and look again at what waits for bytes: another replica may have been
        given them."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._found.work(self._work), name="work on conflicts")
            tasks.create_task(self._look_again(), name="look for bytes")
            tasks.create_task(self._sum_up(), name="sum up warnings")

    async def drained(self) -> None:
        """Wait until everything that was found has been worked on."""
        await self._found.drained()

    def record(
        self, conflict: Conflict, settlement: Settlement, action: str, *, seconds: float = 0.0
    ) -> ConflictRecord:
        """Log, count and announce what became of a conflict, unless that has been said of this occurrence."""
        said = self._open.same(conflict, settlement)
        if said is not None:
            self._open.note(said)
            return said
        record = self.log.add(conflict, settlement, at=time.time(), action=action, seconds=seconds)
        self._open.note(record)
        self._measures.conflicted(conflict.kind, settlement)
        self._announcements.announce(AnnouncementKind.CONFLICT, action, authority=conflict.authority, conflict=record)
        self._warnings.warn(record)
        return record

    def healed(self, subject: str, action: str) -> None:
        """The bytes of a message or title are there: what waited for them is over."""
        for conflict in self._open.waiting(subject):
            self.record(conflict, Settlement.RESOLVED, action)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            for conflict in self._open.waiting():
                self._found.put(conflict)

    async def _sum_up(self) -> None:
        while True:
            await asyncio.sleep(MINUTE)
            self._warnings.sum_up()

    async def _work(self, conflict: Conflict) -> None:
        begun, pause = time.monotonic(), _FIRST_PAUSE
        for attempt in range(1, self._attempts + 1):
            resolution = await self._tried(conflict)
            if resolution is None:
                if self._open.of(conflict) is not None:  # it was real, and has healed since
                    self.record(conflict, Settlement.RESOLVED, _PAST, seconds=time.monotonic() - begun)
                return
            if resolution[0] is not Settlement.FAILED or attempt == self._attempts:
                self.record(conflict, *resolution, seconds=time.monotonic() - begun)
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 -- only spreads attempts
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _tried(self, conflict: Conflict) -> Resolution:
        resolver = self._resolvers.get(conflict.kind)
        if resolver is None:
            return Settlement.OPEN, _NOBODY
        try:
            return await resolver.resolve(conflict)
        except (ChoraleError, TimeoutError) as error:
            return Settlement.FAILED, str(error) or "It took too long."
