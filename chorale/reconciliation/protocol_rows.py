"""What the index tells of the protocol, against its account: the newest parameters are forgotten where they are wrong,
and then asked of the chain again."""

from __future__ import annotations

from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.paging import PageRequest
from chorale.domain.ports import Chain, Index
from chorale.domain.treasury import ProtocolChange
from chorale.projection.corrections import Corrections
from chorale.projection.garbage import as_away
from chorale.projector import Projector
from chorale.reconciliation.resolution import Resolution
from programs.accounts import decode_protocol
from programs.addresses import ProgramAddresses

SUBJECT = "Protocol"


class ProtocolRows:
    """Settles conflicts about the protocol."""

    def __init__(self, chain: Chain, index: Index, projector: Projector, corrections: Corrections) -> None:
        self._chain = chain
        self._index = index
        self._projector = projector
        self._corrections = corrections
        self._address = ProgramAddresses(chain.program_id).protocol()

    async def resolve(self, conflict: Conflict) -> Resolution:
        """See Resolver."""
        before = (await self._index.treasury()).sequence
        await self._projector.protocol.look()
        wrong = await self._wrong()
        if wrong is None:
            now = (await self._index.treasury()).sequence
            return None if now == before else (Settlement.RESOLVED, f"The index was brought to sequence {now}.")
        await self._corrections.parameters(wrong)
        await self._projector.protocol.look()
        if await self._wrong() is not None:
            return Settlement.FAILED, "The newest parameters were asked for again, and differ still."
        return Settlement.RESOLVED, f"The parameters of sequence {wrong.sequence} were read from the chain again."

    async def _wrong(self) -> ProtocolChange | None:
        """The newest parameters that the index tells, where a finalized account of the same version has others."""
        page = await self._index.protocol_changes(PageRequest(first=1))
        totals = await self._index.treasury()
        read = await self._chain.accounts([self._address], commitment=Commitment.FINALIZED)
        data = read.accounts[0]
        if data is None or data.owner != self._chain.program_id or not page.changes:
            return None
        with as_away():
            account, newest = decode_protocol(data.address, data.data), page.changes[0]
        if totals.sequence != account.sequence or totals.changes < totals.sequence:
            return None  # with a gap in the history a later change may be unknown
        told = (newest.admin, newest.minimum_stake, newest.approval_window)
        return None if told == (account.admin, account.minimum_stake, account.approval_window) else newest
