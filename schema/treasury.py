"""The system's reserve: what it holds, and how that came about."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from chorale.context import Context
from chorale.domain.accounts import ProtocolAccount
from chorale.domain.paging import KeyedRow
from chorale.domain.treasury import FlowKind, TreasuryFlow, TreasuryTotals
from datasources.loaders import Token
from schema.arguments import After, Before, First, Last
from schema.connections import PageInfo
from schema.enums import Commitment
from schema.fields import resolved
from schema.paging import Listing
from schema.scalars import Cursor, DateTime, Hash, Pubkey, Signature, Slot, Version
from schema.thread import Thread
from schema.token import TokenAmount
from schema.user import User

FLOWS = Listing("f", (int, str))


@strawberry.interface(
    name="TreasuryFlow", description="An amount that came into the treasury or left it, as a transaction shows it."
)
class Flow:
    """Fields that every flow has."""

    amount: TokenAmount = strawberry.field(description="How much.")
    signature: Signature = strawberry.field(description="The transaction.")
    slot: Slot = strawberry.field(description="The slot it landed in.")
    occurred_at: DateTime = strawberry.field(description="When that was.")


@strawberry.type(description="What a thread owed the treasury, and what its vault had been sent unasked, was swept in.")
class TreasurySweep(Flow):
    """Comes from the thread's own event."""

    context: strawberry.Private[Context]
    thread_id: Hash = strawberry.field(description="The thread it came from.")
    version: Version = strawberry.field(description="The thread's version that it made.")

    @resolved("The thread as it is now. Null only with an error, when Solana is away.")
    async def thread(self) -> Thread | None:
        loaders = self.context.loaders
        read, token = await loaders.thread(self.thread_id), await loaders.token()
        return None if read is None else Thread(context=self.context, read=read, token=token)


@strawberry.type(description="Somebody sent tokens to the treasury without being asked to.")
class TreasuryDeposit(Flow):
    """Told from the token balances before and after the transaction; no event tells of it."""


@strawberry.type(description="The admin paid out of the treasury.")
class TreasuryWithdrawal(Flow):
    """Comes from the protocol's event."""

    version: Version = strawberry.field(description="The protocol's version that it made.")
    admin: User | None = strawberry.field(
        description="The admin at that time, who signed. Null where nodes no longer tell who that was."
    )
    destination: Pubkey = strawberry.field(description="The token account that was paid.")


@strawberry.type(description="A flow in a list.")
class TreasuryFlowEdge:
    """One entry with its place."""

    node: Flow = strawberry.field(description="The flow.")
    cursor: Cursor = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of the treasury's flows.")
class TreasuryFlowConnection:
    """Nodes and edges hold the same flows."""

    nodes: list[Flow] = strawberry.field(description="The flows of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    rows: strawberry.Private[Sequence[KeyedRow]]

    @resolved("The flows of this page, each with its cursor.")
    def edges(self) -> list[TreasuryFlowEdge]:
        pairs = zip(self.nodes, self.rows, strict=True)
        return [TreasuryFlowEdge(node=node, cursor=Cursor(FLOWS.cursor(row))) for node, row in pairs]


@strawberry.type(
    description="The system's reserve. Its balance is what was swept and deposited, less what was withdrawn, plus "
    "`unexplainedIn`, less `unexplainedOut`. The sums and the flows are of one moment."
)
class Treasury:
    """The balance is the chain's; sums and flows are the index's, from the history of the chain."""

    context: strawberry.Private[Context]
    protocol: strawberry.Private[ProtocolAccount]
    token: strawberry.Private[Token]
    held: strawberry.Private[int]
    totals: strawberry.Private[TreasuryTotals]
    slot: Slot = strawberry.field(description="The slot of the chain that the balance was read at.")

    @resolved("The treasury's token account.")
    def address(self) -> Pubkey:
        return Pubkey(self.context.addresses.treasury())

    @resolved("What it holds.")
    def balance(self) -> TokenAmount:
        return TokenAmount.of(self.held, self.token)

    @resolved("What was swept in from threads, in all.")
    def swept(self) -> TokenAmount:
        return TokenAmount.of(self.totals.swept, self.token)

    @resolved("What was sent to it unasked, in all.")
    def deposited(self) -> TokenAmount:
        return TokenAmount.of(self.totals.deposited, self.token)

    @resolved("What admins have withdrawn, in all.")
    def withdrawn(self) -> TokenAmount:
        return TokenAmount.of(self.totals.withdrawn, self.token)

    @resolved(
        "What the balance holds beyond all known flows: from transactions that nodes no longer tell of, and for a "
        "moment what has just been deposited. 0 where everything is explained."
    )
    def unexplained_in(self) -> TokenAmount:
        return TokenAmount.of(max(0, self.held - self.totals.explained), self.token)

    @resolved(
        "What the known flows would leave beyond the balance: withdrawals that nodes no longer tell of. 0 likewise."
    )
    def unexplained_out(self) -> TokenAmount:
        return TokenAmount.of(max(0, self.totals.explained - self.held), self.token)

    @resolved("The protocol's version that all of this belongs to.")
    def version(self) -> Version:
        return Version(self.protocol.sequence)

    @resolved("How sure the cluster was of what was read.")
    def commitment(self) -> Commitment:
        return Commitment.CONFIRMED

    @resolved(
        "What came in and went out, for everyone to see: the newest slot first, within a slot in no order of meaning. "
        "Null only with an error, when an authority is away."
    )
    async def flows(
        self, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> TreasuryFlowConnection | None:
        context = self.context
        request = FLOWS.request(context.limits, first=first, after=after, last=last, before=before)
        found = await context.index.treasury_flows(request)
        if found.totals != self.totals:
            raise context.loaders.mixture()
        return TreasuryFlowConnection(
            nodes=[_flow(context, flow, self.token) for flow in found.flows],
            page_info=PageInfo.of(found.page, FLOWS),
            rows=found.page.rows,
        )


def _flow(context: Context, flow: TreasuryFlow, token: Token) -> Flow:
    amount, signature = TokenAmount.of(flow.amount, token), Signature(flow.signature)
    slot, occurred_at = Slot(flow.slot), DateTime(flow.occurred_at)
    match flow.kind:
        case FlowKind.SWEPT:
            return TreasurySweep(
                context=context,
                amount=amount,
                signature=signature,
                slot=slot,
                occurred_at=occurred_at,
                thread_id=Hash(flow.thread_id or ""),
                version=Version(flow.sequence or 0),
            )
        case FlowKind.DEPOSITED:
            return TreasuryDeposit(amount=amount, signature=signature, slot=slot, occurred_at=occurred_at)
        case FlowKind.WITHDRAWN:
            return TreasuryWithdrawal(
                amount=amount,
                signature=signature,
                slot=slot,
                occurred_at=occurred_at,
                version=Version(flow.sequence or 0),
                admin=None if flow.admin is None else User.of(context, flow.admin),
                destination=Pubkey(flow.destination or ""),
            )
