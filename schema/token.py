"""Amounts of the protocol's token."""

from __future__ import annotations

import strawberry

from datasources.loaders import Token
from schema.scalars import U64, Pubkey


@strawberry.type(description="An exact amount of the token that stakes are made of.")
class TokenAmount:
    """Base units with what is needed to show them."""

    amount: U64 = strawberry.field(description="Base units: divide by 10 to the power of `decimals` to show it.")
    decimals: int = strawberry.field(description="Number of decimals of the token.")
    mint: Pubkey = strawberry.field(description="Mint of the token.")

    @classmethod
    def of(cls, amount: int, token: Token) -> TokenAmount:
        """`amount` base units of `token`."""
        return cls(amount=U64(amount), decimals=token.decimals, mint=Pubkey(token.mint))
