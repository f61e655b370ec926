"""The protocol's part of a fork: parameters and flows of the treasury that were derived from a branch that is gone."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from chorale.announcements import Announcements
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.domain.ports import Chain, Index
from chorale.domain.treasury import ProtocolTransaction
from chorale.domain.updates import Authority
from chorale.projection.lost_transactions import misplaced, unlisted
from chorale.reconcile import Reconciler
from programs.addresses import ProgramAddresses

_log = logging.getLogger(__name__)

_MOST = 10_000  # newest transactions of the protocol that one look goes through
_ATTEMPTS = 5  # at having them forgotten; the verification of boundaries meets the parameters again


class ProtocolForks:
    """Asks again for the transactions that the protocol's part of the index is made of. Raises what the chain's reads
    raise."""

    def __init__(self, chain: Chain, index: Index, reconciler: Reconciler, announcements: Announcements) -> None:
        self._chain = chain
        self._index = index
        self._reconciler = reconciler
        self._announcements = announcements
        self._treasury = ProgramAddresses(chain.program_id).treasury()
        self._lost: list[ProtocolTransaction] = []
        self._attempts = 0

    async def doubtful(self, since: int, final: int, *, in_doubt: bool) -> Sequence[ProtocolTransaction]:
        """Of slots above `since` and up to `final` those that the node does not have where they were seen. `in_doubt`:
        they are compared with what is listed, which also tells what nodes never had from what they have forgotten."""
        seen = [each for each in await self._index.protocol_transactions(since, _MOST) if each.slot <= final]
        if not in_doubt:
            return await misplaced(self._chain, seen)
        changes, deposits = [each for each in seen if each.sequence], [each for each in seen if not each.sequence]
        gone = await unlisted(self._chain, self._chain.program_id, changes)
        return [*gone, *await unlisted(self._chain, self._treasury, deposits)]

    async def confirm(self, doubtful: Sequence[ProtocolTransaction]) -> None:
        """Look a second time; what is still not there is lost."""
        lost = await misplaced(self._chain, doubtful)
        self._lost += [each for each in lost if each not in self._lost]

    async def settle(self, final: int) -> None:
        """Hand over what is lost, if anything is; what fails is handed over again by the next look, some times."""
        if not self._lost:
            return
        detail = f"{len(self._lost)} changes of the protocol were of a branch that the chain has left by slot {final}."
        _log.warning(detail)
        self._announcements.announce(AnnouncementKind.CHAIN_FORKED, detail, authority=Authority.SOLANA)
        newest = max(self._lost, key=lambda each: each.slot)
        found = f"transaction {newest.signature} in slot {newest.slot}"
        conflict = Conflict(
            ConflictCause.PROTOCOL_WRONG, "Protocol", "", "no such transaction there", found, final, newest.sequence
        )
        record = await self._reconciler.settle(conflict)
        self._attempts += 1
        if record.settlement is not Settlement.FAILED or self._attempts >= _ATTEMPTS:
            self._lost, self._attempts = [], 0
