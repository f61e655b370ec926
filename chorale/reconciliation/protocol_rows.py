"""What the index tells of the protocol, against the chain: what is of a branch that is gone, and the newest parameters
where they are wrong, are forgotten, and then asked of the chain again."""

from __future__ import annotations

from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.paging import PageRequest
from chorale.domain.ports import Chain, Index
from chorale.domain.treasury import ProtocolChange, ProtocolTransaction
from chorale.projection.corrections import Corrections
from chorale.projection.garbage import as_away
from chorale.projection.lost_transactions import misplaced
from chorale.projector import Projector
from chorale.reconciliation.resolution import Resolution
from programs.accounts import decode_protocol
from programs.addresses import ProgramAddresses

SUBJECT = "Protocol"
_MOST = 1_000  # newest changes and deposits that are looked for on chain
_SERVED = 432_000  # slots, two days, for which every node serves transactions; one that is older may only be forgotten


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
        without_lost = await self._without_lost()
        if without_lost is not None:
            return without_lost
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

    async def _without_lost(self) -> Resolution:
        """Forget what is of a branch that the chain has left, and ask the chain again from there on; None where nothing
        is."""
        if not await self._lost(await self._chain.slot(Commitment.FINALIZED)):
            return None
        slot = await self._corrections.finalized_now()
        lost = await self._lost(slot)
        if not lost:
            return None  # the node was behind
        await self._corrections.transactions(lost)
        await self._projector.protocol.look_anew()
        if await self._lost(slot):
            return Settlement.FAILED, "What was of a lost branch was forgotten, and the chain told it again."
        action = f"{len(lost)} changes and deposits of a branch that the chain had left by slot {slot} were forgotten"
        return Settlement.RESOLVED, f"{action}, and the chain was asked again from there on."

    async def _lost(self, final: int) -> list[ProtocolTransaction]:
        """What a node that has finalized `final` does not have where it was seen, and has surely not forgotten."""
        seen = [each for each in await self._index.protocol_transactions(0, _MOST) if each.slot <= final]
        gone = set(await misplaced(self._chain, seen))
        oldest = min((each.slot for each in seen if each not in gone), default=final)
        return [each for each in seen if each in gone and (each.slot >= oldest or final - each.slot < _SERVED)]

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
