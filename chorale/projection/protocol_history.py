"""What transactions tell of the protocol: changes of its account from events, deposits from token balances."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from chorale.domain.chain import HistoryEntry
from chorale.domain.events import ProgramEvent, TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.treasury import BalanceChange, ChangeKind, Deposit, ProtocolChange

_PAGE = 1000
_BATCH = 100
_MOST = 10_000  # transactions of one address that one search looks through; the next goes on from there
_REMEMBERED = 20_000
_OVERLAP = 64  # slots that are listed again: nodes list some transactions late
_KINDS = {"Configured": ChangeKind.CONFIGURED, "TreasuryWithdrawn": ChangeKind.WITHDRAWN}


@dataclass(slots=True)
class Found:
    """Changes by sequence, and deposits, that a search has met; `looked` are the transactions that it looked through
    for deposits, each with its last change; `unserved`: the node lists more of them than it serves."""

    changes: dict[int, ProtocolChange] = field(default_factory=dict)
    deposits: list[Deposit] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=dict)
    unserved: bool = False

    def add(self, record: TransactionRecord) -> None:
        """Take the changes of one transaction."""
        self.changes.update((change.sequence, change) for change in changes_in(record))


@dataclass(frozen=True, slots=True)
class _Rest:
    """What a search has left: from before a signature down to a slot; beside the newest transaction that it saw."""

    before: str
    since: int
    newest: HistoryEntry | None


class ProtocolHistory:
    """Searches histories, newest first. What is remembered is not asked for again."""

    def __init__(self, chain: Chain, treasury: str) -> None:
        self._chain = chain
        self._treasury = treasury
        self._looked: OrderedDict[str, None] = OrderedDict()
        self._rests: dict[str, _Rest] = {}  # by address

    @property
    def unfinished(self) -> bool:
        """Whether a search has stopped before its end, so that another goes on."""
        return bool(self._rests)

    def forget(self) -> None:
        """Begin anew: what was looked through may not be of the chain's history."""
        self._looked.clear()
        self._rests.clear()

    async def flows(self, found: Found, since: int) -> None:
        """Everything that touched the treasury from slot `since` on."""
        async for signatures in self._listed(self._treasury, since, self._looked):
            for change in await self._chain.balance_changes(self._treasury, signatures):
                if change is None:
                    found.unserved = True
                    continue
                found.add(change.record)
                if deposit := deposit_of(change):
                    found.deposits.append(deposit)
                last = max((each.sequence for each in changes_in(change.record)), default=0)
                found.looked[change.record.signature] = last
        found.unserved = found.unserved or self._treasury in self._rests

    async def changes(self, found: Found, wanted: Collection[int], addresses: Sequence[str]) -> None:
        """Changes of the sequences `wanted`, from the histories of these addresses, as far as nodes keep them."""
        lasting = {self._treasury, *addresses}  # an admin that was has no search to go on with
        self._rests = {address: rest for address, rest in self._rests.items() if address in lasting}
        for address in addresses:
            if found.changes.keys() >= set(wanted):
                break
            async with aclosing(self._listed(address, 0, ())) as listed:
                async for signatures in listed:
                    for record in await self._chain.transactions(signatures):
                        if record is not None:
                            found.add(record)
                    if found.changes.keys() >= set(wanted):
                        break
        if found.changes.keys() >= set(wanted):
            self._rests = {address: rest for address, rest in self._rests.items() if address == self._treasury}

    async def _listed(self, address: str, since: int, known: Collection[str]) -> AsyncGenerator[list[str], None]:
        rest, newest, met = self._rests.pop(address, None), None, False
        stretches: list[tuple[str | None, int]] = [(None, since)]
        if rest is not None:
            # What was left first, so that every search gets on; then what has come since.
            newest = rest.newest
            stretches = [(rest.before, rest.since), (None, max(since, newest.slot - _OVERLAP if newest else 0))]
        for before, oldest in stretches:
            looked, is_top = 0, before is None
            while looked < _MOST:
                page = await self._chain.history(address, before=before, limit=_PAGE)
                looked += len(page)
                if is_top and rest is not None and rest.newest is not None:
                    met = met or any(entry.signature == rest.newest.signature for entry in page)
                if before is None and page:
                    newest = page[0]
                wanted = [
                    entry.signature
                    for entry in page
                    if entry.succeeded and entry.slot >= oldest and entry.signature not in known
                ]
                for at in range(0, len(wanted), _BATCH):
                    yield wanted[at : at + _BATCH]
                if len(page) < _PAGE or page[-1].slot < oldest:
                    break
                before = page[-1].signature
            else:
                if met:
                    continue  # it has reached what the search before began with
                # Where both stretches leave something, the later one's rest reaches down over the earlier one's.
                left = self._rests.get(address)
                self._rests[address] = _Rest(before or "", oldest if left is None else min(oldest, left.since), newest)
        if (left := self._rests.get(address)) is not None:
            self._rests[address] = replace(left, newest=newest)

    def remember(self, found: Found, sequence: int) -> None:
        """What was found is kept, up to this sequence: its transactions need not be looked through again."""
        for signature, last in found.looked.items():
            if last <= sequence:
                self._looked[signature] = None
        while len(self._looked) > _REMEMBERED:
            self._looked.popitem(last=False)


def changes_in(record: TransactionRecord) -> list[ProtocolChange]:
    """The changes of the protocol's account in one transaction; none where it failed."""
    if not record.succeeded:
        return []
    return [
        ProtocolChange(event.sequence, kind, record.slot, record.block_time, record.signature, **_fields(event, kind))
        for event in record.events
        if (kind := _KINDS.get(event.name)) is not None
    ]


def _fields(event: ProgramEvent, kind: ChangeKind) -> dict[str, Any]:
    names = (
        ("admin", "minimum_stake", "approval_window") if kind is ChangeKind.CONFIGURED else ("amount", "destination")
    )
    return {name: event.fields[name] for name in names}


def deposit_of(change: BalanceChange) -> Deposit | None:
    """What a transaction brought into the treasury beside sweeps; None where nothing, or where that cannot be told."""
    record = change.record
    if change.amount is None or record.logs_cut:
        return None
    swept = sum(int(event.fields["amount"]) for event in record.events if event.name == "Swept")
    withdrawn = sum(int(event.fields["amount"]) for event in record.events if event.name == "TreasuryWithdrawn")
    amount = change.amount - swept + withdrawn
    return Deposit(record.signature, record.slot, record.block_time, amount) if amount > 0 else None
