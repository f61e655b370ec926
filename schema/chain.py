"""The chain that this server follows."""

from __future__ import annotations

import strawberry

from schema.scalars import U64, DateTime, Slot


@strawberry.type(description="The cluster that owns all ownership, and its clock.")
class Chain:
    """Read anew for every answer."""

    identifier: str = strawberry.field(
        description="As wallets name it: `solana:mainnet`, `solana:devnet`, `solana:testnet` or `solana:localnet`."
    )
    genesis_hash: str = strawberry.field(description="Identity of the chain, in base58. Another one, another chain.")
    slot: Slot = strawberry.field(description="The current confirmed slot.")
    block_height: U64 = strawberry.field(description="The confirmed block height, which transactions expire by.")
    time: DateTime = strawberry.field(description="The cluster's clock, which approval windows are measured by.")
