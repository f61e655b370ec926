"""Rows that move between the rooms of the embedded chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

Json = Any  # a JSON value: what orjson takes

RENT_EXEMPT_EPOCH = 2**64 - 1


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """One account; `owner` is the owning program's 32 bytes. The rent epoch is that of every rent-exempt account."""

    lamports: int
    data: bytes
    owner: bytes
    executable: bool = False

    @classmethod
    def of(cls, account: Account) -> StoredAccount:
        """From the runtime's form."""
        return cls(account.lamports, account.data, bytes(account.owner), account.executable)

    def to_account(self) -> Account:
        """Into the runtime's form."""
        return Account(self.lamports, self.data, Pubkey.from_bytes(self.owner), self.executable, RENT_EXEMPT_EPOCH)


@dataclass(frozen=True, slots=True)
class Landed:
    """One landed transaction as lists show it: `sequence` orders all of them, `err` is the RPC's error JSON."""

    sequence: int
    signature: str
    slot: int
    block_time: int
    err: Json
    memo: str | None


@dataclass(frozen=True, slots=True)
class TransactionRow(Landed):
    """One landed transaction whole; `meta` is RPC's `meta` without err and status."""

    raw: bytes
    meta: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made known: changed accounts (None where one ceased to exist) and the transaction's traces."""

    slot: int
    changed: tuple[tuple[Pubkey, StoredAccount | None], ...]
    signature: str = ""
    err: Json = None
    logs: tuple[str, ...] = ()
    mentions: frozenset[Pubkey] = frozenset()
