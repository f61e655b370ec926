"""Accounts by address: one getMultipleAccounts per 100 of everything that one tick wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chorale.domain.chain import AccountData
from chorale.domain.ports import Chain
from datasources.loaders.batch import BatchLoader

ACCOUNTS_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class AccountAt:
    """An account, None where absent, and the slot it was read at."""

    account: AccountData | None
    slot: int


class AccountLoader(BatchLoader[str, AccountAt]):
    """Never reads behind what it has read: each call asks for at least the slot of the one before.

    Anchors (threads) go into the first call of a tick, so a message is never older than its thread.
    """

    def __init__(self, chain: Chain, min_slot: int | None = None) -> None:
        super().__init__()
        self._chain = chain
        self._min_slot = min_slot
        self._anchors: set[str] = set()

    def anchor(self, address: str) -> None:
        """Read `address` in the first call of its tick."""
        self._anchors.add(address)

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, AccountAt]:
        """Chunks one after another; slots never fall."""
        ordered = sorted(keys, key=lambda key: key not in self._anchors)
        found: dict[str, AccountAt] = {}
        for start in range(0, len(ordered), ACCOUNTS_PER_CALL):
            chunk = ordered[start : start + ACCOUNTS_PER_CALL]
            read = await self._chain.accounts(chunk, min_context_slot=self._min_slot)
            self._min_slot = max(self._min_slot or 0, read.slot)
            for address, account in zip(chunk, read.accounts, strict=True):
                found[address] = AccountAt(account, read.slot)
        return found
