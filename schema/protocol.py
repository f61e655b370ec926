"""The protocol: the one deployment of the program that this server follows."""

from __future__ import annotations

import strawberry

from chorale.context import Context
from chorale.domain.accounts import ProtocolAccount
from datasources.loaders import Token
from schema.arguments import After, Before, First, Last
from schema.connections import PageInfo
from schema.fields import resolved
from schema.node import Node
from schema.protocol_changes import CHANGES, ProtocolChange, ProtocolChangeConnection, protocol_reached
from schema.scalars import Pubkey, Version
from schema.token import TokenAmount


@strawberry.type(description="The rules and the reserve that all threads share.")
class Protocol(Node):
    """Wraps the `Protocol` account."""

    context: strawberry.Private[Context]
    account: strawberry.Private[ProtocolAccount]
    token: strawberry.Private[Token]

    @resolved("`Protocol`.")
    def id(self) -> strawberry.ID:
        return strawberry.ID("Protocol")

    @resolved("The account that holds these parameters.")
    def address(self) -> Pubkey:
        return Pubkey(self.account.address)

    @resolved("The program on chain.")
    def program_id(self) -> Pubkey:
        return Pubkey(self.context.addresses.program_id)

    @resolved("Mint of the token that stakes are made of.")
    def mint(self) -> Pubkey:
        return Pubkey(self.account.mint)

    @resolved("Who may change the parameters and withdraw from the treasury.")
    def admin(self) -> Pubkey:
        return Pubkey(self.account.admin)

    @resolved("The least stake that a submission takes.")
    def minimum_stake(self) -> TokenAmount:
        return TokenAmount.of(self.account.minimum_stake, self.token)

    @resolved("How long a submitted message stays open for votes, in seconds.")
    def approval_window_seconds(self) -> int:
        return self.account.approval_window

    @resolved("How often these parameters were set or the treasury was withdrawn from.")
    def version(self) -> Version:
        return Version(self.account.sequence)

    @resolved(
        "The parameters over time, newest first, the first ones last; from the events of the chain. "
        "Null only with an error, when an authority is away."
    )
    async def changes(
        self, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> ProtocolChangeConnection | None:
        context = self.context
        request = CHANGES.request(context.limits, first=first, after=after, last=last, before=before)
        await protocol_reached(context, self.account.sequence)
        found = await context.index.protocol_changes(request)
        if found.page.sequence > self.account.sequence:
            raise context.loaders.mixture()
        return ProtocolChangeConnection(
            nodes=[ProtocolChange.of(context, change, self.token) for change in found.changes],
            page_info=PageInfo.of(found.page, CHANGES),
            rows=found.page.rows,
        )

    @resolved(
        "How many changes of these parameters, or withdrawals, nodes no longer tell of: they are missing from "
        "`changes` and from the treasury's flows. Null only with an error, when an authority is away."
    )
    async def missing_changes(self) -> int | None:
        await protocol_reached(self.context, self.account.sequence)
        totals = await self.context.index.treasury()
        return totals.sequence - totals.changes

    @resolved("What the system's reserve holds.")
    async def treasury(self) -> TokenAmount:
        amount, _ = await self.context.loaders.token_amount(self.context.addresses.treasury())
        return TokenAmount.of(amount, self.token)
