"""The protocol: the one deployment of the program that this server follows."""

from __future__ import annotations

import strawberry

from chorale.context import Context
from chorale.domain.accounts import ProtocolAccount
from datasources.loaders import Token
from schema.fields import resolved
from schema.node import Node
from schema.scalars import Pubkey
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

    @resolved("What the system's reserve holds.")
    async def treasury(self) -> TokenAmount:
        amount, _ = await self.context.loaders.token_amount(self.context.addresses.treasury())
        return TokenAmount.of(amount, self.token)
