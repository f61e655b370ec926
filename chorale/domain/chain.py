"""Shapes that the chain port returns: raw reads of Solana, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Commitment(StrEnum):
    """How sure the cluster is of a read."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class AccountData:
    """One account as stored: owner program (base58), lamports and bytes."""

    address: str
    owner: str
    lamports: int
    data: bytes


@dataclass(frozen=True, slots=True)
class AccountsRead:
    """Accounts in the order asked for, None where absent. `slot` is the lowest context slot of the batches."""

    slot: int
    accounts: tuple[AccountData | None, ...]


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash, the last block height that takes it, and the height and slot now."""

    blockhash: str
    last_valid_block_height: int
    block_height: int
    slot: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Outcome of a dry run; `error` is the RPC's `err` JSON, None where it would succeed."""

    slot: int
    error: Any
    logs: tuple[str, ...]
    units_consumed: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """A transaction that landed; `error` is the RPC's `err` JSON, None where it succeeded."""

    slot: int
    error: Any
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of an address's history, as getSignaturesForAddress gives it (newest first)."""

    signature: str
    slot: int
    block_time: int | None
    succeeded: bool


@dataclass(frozen=True, slots=True)
class SlotTick:
    """A heartbeat of the subscription."""

    slot: int


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account as a transaction at `slot`, or all of that slot together, has left it."""

    slot: int
    account: AccountData


class TransactionRefusedError(Exception):
    """The RPC node refused the transaction before it could land; carries its `err` JSON and logs."""

    def __init__(self, error: Any, logs: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.error = error
        self.logs = logs
