"""The protocol's own history: its parameters over time, and what went into and out of the treasury."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chorale.domain.events import TransactionRecord
from chorale.domain.paging import Page


class FlowKind(StrEnum):
    """How an amount came into the treasury or left it."""

    SWEPT = "SWEPT"
    DEPOSITED = "DEPOSITED"
    WITHDRAWN = "WITHDRAWN"


class ChangeKind(StrEnum):
    """What a sequence of the `Protocol` account was: every one is one of these."""

    CONFIGURED = "CONFIGURED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True)
class ProtocolChange:
    """One sequence of the `Protocol` account, as its event tells.

    CONFIGURED has `admin`, `minimum_stake` and `approval_window` as they were from then on, WITHDRAWN has `amount` and
    `destination`, the token account that was paid.
    """

    sequence: int
    kind: ChangeKind
    slot: int
    occurred_at: int
    signature: str
    admin: str | None = None
    minimum_stake: int | None = None
    approval_window: int | None = None
    amount: int | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Deposit:
    """What one transaction brought into the treasury beside all sweeps."""

    signature: str
    slot: int
    occurred_at: int
    amount: int


@dataclass(frozen=True, slots=True)
class ProtocolTransaction:
    """A transaction that the index explains the protocol by, with the slot that it was seen in: the change of
    `sequence`, or with 0 a deposit."""

    signature: str
    slot: int
    sequence: int


@dataclass(frozen=True, slots=True)
class TreasuryFlow:
    """One flow. A sweep has `thread_id` and the thread's `sequence`; a withdrawal the protocol's `sequence`,
    `destination` and, where the history before it is known, `admin`."""

    kind: FlowKind
    amount: int
    slot: int
    occurred_at: int
    signature: str
    thread_id: str | None = None
    sequence: int | None = None
    admin: str | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class TreasuryTotals:
    """Sums over all flows that the index knows, in base units.

    `sequence` is the protocol's that the index has reached, 0 before the first look; of those, `changes` are known.
    `unexplained` is what the balance was beyond the flows at the last look, which read at `slot`.
    """

    sequence: int = 0
    changes: int = 0
    swept: int = 0
    deposited: int = 0
    withdrawn: int = 0
    unexplained: int = 0
    slot: int = 0

    @property
    def explained(self) -> int:
        """The balance that the flows make."""
        return self.swept + self.deposited - self.withdrawn


@dataclass(frozen=True, slots=True)
class FlowPage:
    """A page of flows, and the totals of the same moment."""

    page: Page
    flows: tuple[TreasuryFlow, ...]
    totals: TreasuryTotals


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of changes of the parameters; `page.sequence` is the protocol's that the index has reached."""

    page: Page
    changes: tuple[ProtocolChange, ...]


@dataclass(frozen=True, slots=True)
class ProtocolProjection:
    """What a look at the protocol has found, committed as a whole: the account's `sequence` and the treasury's
    `balance` read at `slot`, and what is new since the last look."""

    sequence: int
    balance: int
    slot: int
    changes: tuple[ProtocolChange, ...] = ()
    deposits: tuple[Deposit, ...] = ()


@dataclass(frozen=True, slots=True)
class BalanceChange:
    """A landed transaction and by how much it changed one token account; None where the node does not tell."""

    record: TransactionRecord
    amount: int | None
