"""UIConflict: a client shows a version that is past, or that never was. Only the client can refresh itself."""

from __future__ import annotations

from chorale.checking.client_reports import ClientReports
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.reconciliation.resolution import Resolution


class UiResolver:
    """The answer to the client's own report tells it to refresh and carries what it needs; what it has reported until
    then counts as told. The conflict's announcement tells operators."""

    def __init__(self, reports: ClientReports) -> None:
        self._reports = reports

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver."""
        self._reports.tell(conflict.thread_id, conflict.sequence)
        shown = "never existed" if conflict.cause is ConflictCause.UI_AHEAD else "is past"
        return Settlement.CLIENT_TOLD, f"The client was told that what it shows {shown}, and what is there now."
