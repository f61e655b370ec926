"""The boundary to clients: what they last said they show, against the accounts.

That a thread moves on after a client has reported it is no conflict: the client hears of it. It is behind where it
reports again what it was told to refresh, and ahead where it shows a version that the chain does not have.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

from chorale.checking.client_reports import ClientReports, Shown
from chorale.checking.findings import Checked
from chorale.checking.reading import Reading
from chorale.domain.boundaries import BoundaryName
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause

Reports = Sequence[tuple[str, Mapping[str, Shown]]]


class FrontendState:
    """Checks the reports of this replica's clients. What was found is told to the client with its next report."""

    name = BoundaryName.FRONTEND_STATE

    def __init__(self, reading: Reading, reports: ClientReports) -> None:
        self._reading = reading
        self._limits = reading.limits
        self._reports = reports
        self._place = 0

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        yield Checked(0, (), len(self._reports))
        place = 0
        while reports := self._reports.after(place, self._limits.verification_batch):
            yield await self._check(reports)
            place += len(reports)

    async def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        reports = self._reports.after(self._place, min(size, self._limits.verification_batch))
        self._place = self._place + len(reports) if reports else 0
        checked = await self._check(reports)
        yield Checked(checked.entities, checked.conflicts, checked.entities)

    async def _check(self, reports: Reports) -> Checked:
        thread_ids = sorted({thread_id for _, shown in reports for thread_id in shown if thread_id})
        versions = await self._versions(thread_ids, Commitment.CONFIRMED)
        doubtful = any(
            shown.version > versions.get(thread_id, 0) for _, each in reports for thread_id, shown in each.items()
        )
        if doubtful:
            slot = await self._reading.slot_behind(thread_ids)
            await self._reading.finalized(slot)
            versions = await self._versions(thread_ids, Commitment.FINALIZED)
        conflicts = [
            conflict
            for _, each in reports
            for thread_id, shown in each.items()
            if thread_id in versions and (conflict := self._conflict(thread_id, shown, versions[thread_id])) is not None
        ]
        return Checked(sum(len(each) for _, each in reports), tuple(conflicts))

    async def _versions(self, thread_ids: Sequence[str], commitment: Commitment) -> dict[str, int]:
        """Sequences by thread id, and the protocol's by ""; 0 where there is no account."""
        _, threads = await self._reading.threads(thread_ids, commitment)
        _, protocol = await self._reading.protocol(commitment)
        found = {key: threads[key].sequence if key in threads else 0 for key in thread_ids}
        return found | {"": 0 if protocol is None else protocol.sequence}

    def _conflict(self, thread_id: str, shown: Shown, version: int) -> Conflict | None:
        if shown.version > version:
            cause = ConflictCause.UI_AHEAD
        elif shown.behind_since is not None and shown.at - shown.behind_since > self._limits.ui_patience:
            cause = ConflictCause.UI_BEHIND
        else:
            return None
        subject = f"Thread:{thread_id}" if thread_id else "Protocol"
        return Conflict(cause, subject, thread_id, f"version {version}", f"version {shown.version}", 0, version)
