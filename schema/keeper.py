"""The keeper, as it shows itself."""

from __future__ import annotations

from typing import Self

import strawberry

from chorale.keeping.duties import Duty
from chorale.keeping.report import Count, KeeperReport
from schema.enums import KeeperDuty, KeeperState
from schema.scalars import U64, DateTime, Pubkey


@strawberry.type(description="One instruction that the keeper sends, and how often, since this server was started.")
class KeeperInstruction:
    """Wraps a counter."""

    duty: KeeperDuty = strawberry.field(description="The instruction.")
    sent: U64 = strawberry.field(description="Transactions sent.")
    confirmed: U64 = strawberry.field(description="Of these, those that the chain has confirmed.")
    failed: U64 = strawberry.field(description="Of these, those that landed and failed.")
    unknown: U64 = strawberry.field(description="Of these, those that were not confirmed in time; the next looks tell.")
    refused: U64 = strawberry.field(description="Not sent: refused by the node before it could land, for no fee.")
    skipped: U64 = strawberry.field(
        description="Not sent: others had it in hand or had done it, the author has no token account that could be "
        "paid, or lamports were lacking. Tried again where it is still due, after growing pauses."
    )
    lamports: U64 = strawberry.field(description="What it has cost in fees.")

    @classmethod
    def of(cls, duty: Duty, count: Count) -> Self:
        """The counter of one instruction."""
        return cls(
            duty=duty,
            sent=U64(count.sent),
            confirmed=U64(count.confirmed),
            failed=U64(count.failed),
            unknown=U64(count.unknown),
            refused=U64(count.refused),
            skipped=U64(count.skipped),
            lamports=U64(count.lamports),
        )


@strawberry.type(
    description="The part of this server that sends what is due to everybody: it expires what was not decided in time, "
    "resolves what a departure has decided, refunds stakes and sweeps what threads owe the treasury."
)
class Keeper:
    """Wraps a report."""

    address: Pubkey = strawberry.field(description="Its fee payer.")
    lamports: U64 = strawberry.field(description="What its fee payer held at the last look.")
    state: KeeperState = strawberry.field(description="Whether it acts.")
    budget: U64 = strawberry.field(description="Lamports that it may spend in an hour.")
    spent: U64 = strawberry.field(description="Lamports that it has spent in this hour.")
    pending: U64 = strawberry.field(description="Messages on this deployment that were pending at the last look.")
    last_pass: DateTime | None = strawberry.field(description="When it last looked and did what it found; null before.")
    next_due: DateTime | None = strawberry.field(
        description="When the next open window ends, by the cluster's clock; null where none is open."
    )
    instructions: list[KeeperInstruction] = strawberry.field(description="What it has done, by instruction.")
    last_error: str | None = strawberry.field(description="What went wrong last; null where nothing has.")

    @classmethod
    def of(cls, report: KeeperReport) -> Self:
        """One moment of it."""
        return cls(
            address=Pubkey(report.address),
            lamports=U64(report.lamports),
            state=report.state,
            budget=U64(report.budget),
            spent=U64(report.spent),
            pending=U64(report.pending),
            last_pass=None if report.last_pass is None else DateTime(report.last_pass),
            next_due=None if report.next_due is None else DateTime(report.next_due),
            instructions=[KeeperInstruction.of(duty, count) for duty, count in report.counts.items()],
            last_error=report.last_error,
        )
