"""OwnershipConflict: index or content says something of a message or thread that Solana does not. Solana's is taken."""

from __future__ import annotations

from chorale.domain.conflict import OF_ROWS, Conflict, Settlement
from chorale.reconciliation.index_rows import IndexRows
from chorale.reconciliation.payloads import Payloads
from chorale.reconciliation.resolution import Resolution


class OwnershipResolver:
    """Rewrites what is derived from the accounts."""

    def __init__(self, rows: IndexRows, payloads: Payloads) -> None:
        self._rows = rows
        self._payloads = payloads

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver. Where rows were of a lost branch, the points of their messages are looked at as well."""
        if conflict.cause not in OF_ROWS:
            return await self._payloads.resolve(conflict)
        resolution, lost = await self._rows.resolve(conflict)
        for content_hash in lost:
            point = await self._payloads.settle(conflict.thread_id, content_hash)
            if point is not None and point[0] is Settlement.FAILED:
                return point
        return resolution
