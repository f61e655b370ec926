"""devWallet: a named wallet whose key the server keeps. Embedded chain only."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import DevTools, Info
from schema.fields import resolved
from schema.scalars import U64, Pubkey

DEFAULT_LAMPORTS = U64(10_000_000_000)
DEFAULT_TOKENS = U64(1_000_000_000)

Name = Annotated[
    str, strawberry.argument(description="1 to 32 letters, digits, - or _. `admin` is the protocol's admin.")
]


@strawberry.type(description="A wallet of the embedded chain whose key the server keeps, for trying things out.")
class DevWallet:
    """Known by its name."""

    name: str = strawberry.field(description="As asked for.")
    address: Pubkey = strawberry.field(description="Its public key.")


@strawberry.type
class DevWalletMutation:
    """Field of Mutation."""

    @resolved(
        "A named wallet: made and funded on the first call, the same ever after. Returns once its funds "
        "are confirmed. Exists on an embedded chain only."
    )
    async def dev_wallet(
        self,
        info: Info,
        name: Name,
        lamports: Annotated[
            U64 | None, strawberry.argument(description="SOL to begin with, lamports.")
        ] = DEFAULT_LAMPORTS,
        tokens: Annotated[U64 | None, strawberry.argument(description="Tokens to begin with.")] = DEFAULT_TOKENS,
    ) -> DevWallet:
        address = await tools(info).wallet(
            name,
            DEFAULT_LAMPORTS if lamports is None else lamports,
            DEFAULT_TOKENS if tokens is None else tokens,
        )
        return DevWallet(name=name, address=Pubkey(address))


def tools(info: Info) -> DevTools:
    """The embedded chain's tools; a schema that has these mutations has them."""
    assert info.context.dev is not None
    return info.context.dev
