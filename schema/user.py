"""A wallet. Nothing but its address is known until a balance is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from chorale.context import Context, Info
from schema.arguments import After, First
from schema.fields import resolved
from schema.node import Node
from schema.scalars import U64, Pubkey, Slot
from schema.token import TokenAmount

if TYPE_CHECKING:
    from schema.connections import MessageConnection, ThreadConnection


@strawberry.type(description="A wallet, known by its address. Every address is a user, whether it ever wrote or not.")
class User(Node):
    """Balances are read in one batch with everything else that the answer needs."""

    context: strawberry.Private[Context]
    address: Pubkey = strawberry.field(description="The wallet's public key.")

    @classmethod
    def of(cls, context: Context, address: str) -> User:
        """The user behind `address`."""
        return cls(context=context, address=Pubkey(address))

    @resolved("`User:<address>`.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"User:{self.address}")

    @resolved("What the wallet's associated token account holds. Null only with an error, when Solana is away.")
    async def token_balance(self) -> TokenAmount | None:
        loaders = self.context.loaders
        balances = await loaders.balances(self.address)
        return TokenAmount.of(balances.tokens, await loaders.token())

    @resolved("The wallet's SOL in lamports. Null only with an error, when Solana is away.")
    async def lamports(self) -> U64 | None:
        return U64((await self.context.loaders.balances(self.address)).lamports)

    @resolved("The slot that the balances were read at. Null only with an error, when Solana is away.")
    async def slot(self) -> Slot | None:
        return Slot((await self.context.loaders.balances(self.address)).slot)

    @resolved(
        "Threads that this wallet co-authors, newest activity first. "
        "Null only with an error, when an authority is away."
    )
    async def threads(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
    ) -> Annotated[ThreadConnection, strawberry.lazy("schema.connections")] | None:
        from schema.listings import list_threads  # users, threads and lists name each other

        return await list_threads(self.context, info, first=first, after=after, co_author=self.address)

    @resolved(
        "Messages that this wallet wrote and the viewer may see, newest first. "
        "Null only with an error, when an authority is away."
    )
    async def messages(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
    ) -> Annotated[MessageConnection, strawberry.lazy("schema.connections")] | None:
        from schema.listings import list_messages_of  # users, messages and lists name each other

        return await list_messages_of(self.context, info, self.address, first=first, after=after)
