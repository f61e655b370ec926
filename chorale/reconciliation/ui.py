"""UIConflict: a client shows a version that is past, or that never was. Only the client can refresh itself."""

from __future__ import annotations

from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.reconciliation.resolution import Resolution


class UiResolver:
    """The answer to the client's own report tells it to refresh and carries what it needs, so nothing is left to write
    here; the conflict's announcement tells operators."""

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver."""
        shown = "never existed" if conflict.cause is ConflictCause.UI_AHEAD else "is past"
        return Settlement.CLIENT_TOLD, f"The client was told that what it shows {shown}, and what is there now."
