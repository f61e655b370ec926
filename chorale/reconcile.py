"""Reconciliation: takes a conflict from whoever found it, has its kind's resolver settle it by the authority, and sees
that it is counted, logged and announced."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Protocol

from chorale.announcements import Announcements
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.conflict import Conflict, ConflictKind, ConflictRecord, Settlement
from chorale.domain.errors import ChoraleError
from chorale.domain.measures import Measures
from chorale.reconciliation.conflict_log import ConflictLog

_log = logging.getLogger(__name__)


class Resolver(Protocol):
    """Settles one kind of conflict. Reads the authority again first: what it is told may be past."""

    async def resolve(self, conflict: Conflict) -> tuple[Settlement, str]:
        """What became of it, and what was done, in a sentence. Raises ChoraleError where it could not be tried."""


class Reconciler:
    """One for all who find conflicts. A kind without a resolver is reported and stays OPEN."""

    def __init__(
        self,
        resolvers: Mapping[ConflictKind, Resolver],
        log: ConflictLog,
        announcements: Announcements,
        measures: Measures,
    ) -> None:
        self._resolvers = resolvers
        self.log = log
        self._announcements = announcements
        self._measures = measures

    async def settle(self, conflict: Conflict) -> ConflictRecord:
        """Have it resolved now. Never raises ChoraleError: what could not be done is FAILED in the record."""
        begun = time.monotonic()
        resolver = self._resolvers.get(conflict.kind)
        settlement, action = Settlement.OPEN, "Reported; nothing resolves this kind here."
        if resolver is not None:
            try:
                settlement, action = await resolver.resolve(conflict)
            except ChoraleError as error:
                settlement, action = Settlement.FAILED, str(error)
        return self._record(conflict, settlement, action, time.monotonic() - begun)

    def report(self, conflict: Conflict) -> ConflictRecord:
        """Say it and leave it as it is."""
        return self._record(conflict, Settlement.OPEN, "Reported; repair was not asked for.", 0.0)

    def _record(self, conflict: Conflict, settlement: Settlement, action: str, seconds: float) -> ConflictRecord:
        record = self.log.add(conflict, settlement, at=time.time(), action=action, seconds=seconds)
        self._measures.conflicted(conflict.kind, settlement)
        self._announcements.announce(AnnouncementKind.CONFLICT, action, authority=conflict.authority, conflict=record)
        _log.warning(
            "%s %s: expected %s, found %s; %s: %s",
            conflict.cause, conflict.subject, conflict.expected, conflict.found, settlement, action,
        )  # fmt: skip
        return record
