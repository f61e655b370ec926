"""Wallets: the viewer's own and any other."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from schema.fields import resolved
from schema.scalars import Pubkey
from schema.user import User


@strawberry.type
class UserQueries:
    """Fields of Query about wallets."""

    @resolved("Whoever is signed in; null for an anonymous caller.")
    def viewer(self, info: Info) -> User | None:
        wallet = info.context.wallet
        return None if wallet is None else User.of(info.context, wallet)

    @resolved("The user behind an address; there is one behind every address.")
    def user(
        self, info: Info, address: Annotated[Pubkey, strawberry.argument(description="The wallet's public key.")]
    ) -> User | None:
        return User.of(info.context, address)
