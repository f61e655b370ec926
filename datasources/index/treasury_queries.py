"""Reading the protocol's history out of the index."""

from __future__ import annotations

from collections.abc import Sequence

from chorale.domain.paging import PageRequest
from chorale.domain.treasury import ChangePage, FlowPage, ProtocolChange, ProtocolTransaction, TreasuryTotals
from datasources.index import treasury
from datasources.index.connections import Connections


class TreasuryQueries:
    """Questions about the protocol and the treasury; see `IndexReader` and `Index` in the ports."""

    _connections: Connections

    async def treasury(self) -> TreasuryTotals:
        """See IndexReader."""
        return await self._connections.read(treasury.totals)

    async def treasury_flows(self, page: PageRequest) -> FlowPage:
        """See IndexReader."""
        return await self._connections.read(lambda connection: treasury.flows(connection, page))

    async def protocol_changes(self, page: PageRequest) -> ChangePage:
        """See IndexReader."""
        return await self._connections.read(lambda connection: treasury.changes(connection, page))

    async def protocol_changes_at(self, sequences: Sequence[int]) -> tuple[ProtocolChange, ...]:
        """See Index."""
        return await self._connections.read(lambda connection: treasury.changes_at(connection, sequences))

    async def protocol_transactions(self, since: int, limit: int) -> Sequence[ProtocolTransaction]:
        """See Index."""
        return await self._connections.read(lambda connection: treasury.transactions(connection, since, limit))

    async def protocol_sequences(self) -> frozenset[int]:
        """See Index."""
        return await self._connections.read(treasury.known_sequences)
