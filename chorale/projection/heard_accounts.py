"""Accounts as the subscription told them: what a change has made of them comes along with it, so that none has to be
asked for.

They are the node's confirmed answers, like those of a read, and trusted no further: whoever projects sees by sequences
whether they are of the version wanted, and reads the chain where they are not. What a node leaves out, or tells late,
only costs that read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from chorale.domain.chain import AccountChange, AccountData, AccountsRead
from programs.accounts import AccountMalformed, sequence_in

_MOST = 2048  # accounts, a few kB each


class HeardAccounts:
    """The newest of each account, the longest unchanged one dropped first. Belongs to one connection: whoever connects
    again has missed changes, and clears it."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, AccountChange] = OrderedDict()

    def note(self, change: AccountChange) -> None:
        """What was told, with what explains it known by now."""
        address = change.account.address
        known = self._known.pop(address, None)
        self._known[address] = change if known is None or change.slot >= known.slot else known
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """A subscription begins."""
        self._known.clear()

    def read(self, addresses: Sequence[str], min_slot: int, sequence: int) -> AccountsRead | None:
        """The accounts, the first a thread told at `min_slot` or later and of this `sequence` or a later one; its slot
        stands for all. None where that was not told of all of them."""
        found: list[AccountData] = []
        for address in addresses:
            change = self._known.get(address)
            if change is None:
                return None
            found.append(change.account)
        slot = self._known[addresses[0]].slot
        if slot < min_slot or _sequence(found[0]) < sequence:
            return None
        return AccountsRead(slot, tuple(found))


def _sequence(account: AccountData) -> int:
    try:
        return sequence_in(account.address, account.data)
    except AccountMalformed:
        return -1
