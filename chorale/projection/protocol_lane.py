"""The protocol's lane: one look at a time brings the index up to the `Protocol` account and the treasury's balance.

A look reads both accounts and compares them with what the index explains. Where they agree it has cost one read; where
they do not, the treasury's history tells what came and went, and where changes of the account are still missing the
histories of its admin and of the account itself. What nodes no longer keep stays missing and is told as such.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chorale.domain.accounts import ProtocolAccount
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import TransactionRecord
from chorale.domain.paging import PageRequest
from chorale.domain.ports import Chain, Index
from chorale.domain.treasury import ChangeKind, ProtocolChange, ProtocolProjection, TreasuryTotals
from chorale.domain.updates import Authority
from chorale.projection.garbage import as_away
from chorale.projection.protocol_history import Found, ProtocolHistory, changes_in
from programs.accounts import decode_protocol
from programs.addresses import ProgramAddresses
from programs.token_accounts import token_amount

_OVERLAP = 64  # slots before the last look that are listed again: nodes list some transactions late
_LATER = 3  # further looks where something is not explained: the node may only lag
_PAUSES = (0.05, 0.2, 0.8)  # s before asking again for a transaction that the node does not show yet


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What the chain says at `slot` beside what the index says. `effect` are a transaction's changes as its events tell
    them, `kept` the index's of the same sequences, `newest` its newest parameters."""

    slot: int
    account: ProtocolAccount | None
    balance: int
    effect: tuple[ProtocolChange, ...]
    kept: tuple[ProtocolChange, ...]
    totals: TreasuryTotals
    newest: ProtocolChange | None


class ProtocolLane:
    """Writes the protocol's part of the index. Raises AuthorityUnavailableError, MinimumSlotNotReachedError."""

    def __init__(self, chain: Chain, index: Index) -> None:
        self._chain = chain
        self._index = index
        self._addresses = ProgramAddresses(chain.program_id)
        self._history = ProtocolHistory(chain, self._addresses.treasury())
        self._one = asyncio.Lock()
        self._later = 0

    async def settle(
        self, signature: str, *, min_slot: int | None = None, record: TransactionRecord | None = None
    ) -> None:
        """Return once the index has what the transaction `signature` changed of the protocol."""
        record = record or await self._record(signature)
        wanted = {change.sequence for change in changes_in(record)}
        if not wanted <= await self._index.protocol_sequences():
            async with self._one:
                await self._round(max(min_slot or 0, record.slot), record)

    async def look(self) -> None:
        """Whatever has happened, whether a transaction of the program told of it or not."""
        async with self._one:
            await self._round(0, None)

    async def look_anew(self) -> None:
        """The same from where the index stands now: what was looked through before may be of a branch that is gone."""
        async with self._one:
            self._history.forget()
            self._later = 0
            await self._round(0, None)

    async def read_back(self, signature: str, min_slot: int) -> ReadBack:
        """The accounts at `min_slot` or later, and what is kept of them and of one transaction, for whoever compares.
        What the transaction did is asked of the chain anew."""
        effect = changes_in(await self._record(signature))
        slot, account, balance = await self._read(min_slot)
        kept = await self._index.protocol_changes_at([change.sequence for change in effect])
        newest = await self._index.protocol_changes(PageRequest(first=1))
        return ReadBack(
            slot, account, balance, tuple(effect), kept, await self._index.treasury(), next(iter(newest.changes), None)
        )

    async def _round(self, min_slot: int, record: TransactionRecord | None) -> None:
        slot, account, balance = await self._read(min_slot)
        if account is None:
            return  # not initialised yet
        before, known = await self._index.treasury(), await self._index.protocol_sequences()
        found = Found()
        if record is not None:
            found.add(record)
        missing = set(range(before.sequence + 1, account.sequence + 1)) - known - found.changes.keys()
        agreed = not missing and balance - self._told(found, known, before) == before.unexplained
        searching = not agreed or self._later > 0 or self._history.unfinished
        if not searching and account.sequence == before.sequence:
            return
        if searching:
            went_on = self._history.unfinished
            await self._history.flows(found, max(0, before.slot - _OVERLAP))
            # A search that goes on goes on for everything that is missing.
            wanted = set(range(1, account.sequence + 1)) if went_on else missing | {account.sequence}
            await self._history.changes(found, wanted - known, (account.admin, account.address))
        changes = [change for sequence, change in sorted(found.changes.items()) if sequence <= account.sequence]
        # What is listed and not served yet is in the reach of the next search as well.
        reached = before.slot if found.unserved else slot
        await self._index.apply_protocol(
            ProtocolProjection(account.sequence, balance, reached, tuple(changes), tuple(found.deposits))
        )
        self._history.remember(found, account.sequence)
        await self._decide_on_later(account.sequence, agreed)

    async def _decide_on_later(self, sequence: int, agreed: bool) -> None:
        complete = sequence in await self._index.protocol_sequences()
        if complete and not (await self._index.treasury()).unexplained:
            self._later = 0
        else:
            self._later = max(0, self._later - 1) if agreed else _LATER

    def _told(self, found: Found, known: frozenset[int], totals: TreasuryTotals) -> int:
        """The balance that the flows make once the changes in `found` are among them."""
        new = (change for sequence, change in found.changes.items() if sequence not in known)
        return totals.explained - sum(change.amount or 0 for change in new if change.kind is ChangeKind.WITHDRAWN)

    async def _read(self, min_slot: int) -> tuple[int, ProtocolAccount | None, int]:
        """Slot, account and the treasury's balance in base units, of one read."""
        address = self._addresses.protocol()
        read = await self._chain.accounts([address, self._addresses.treasury()], min_context_slot=min_slot or None)
        protocol, treasury = read.accounts
        if protocol is None or protocol.owner != self._chain.program_id or treasury is None:
            return read.slot, None, 0
        with as_away():
            return read.slot, decode_protocol(address, protocol.data), token_amount(treasury)

    async def _record(self, signature: str) -> TransactionRecord:
        for pause in (*_PAUSES, None):
            record = await self._chain.transaction(signature)
            if record is not None:
                return record
            if pause is not None:
                await asyncio.sleep(pause)
        raise AuthorityUnavailableError(Authority.SOLANA, f"The node does not show transaction {signature} yet.")
