"""The protocol and the chain under it."""

from __future__ import annotations

import asyncio

import strawberry

from chorale.context import Context, Info
from schema.chain import Chain
from schema.fields import resolved
from schema.protocol import Protocol
from schema.scalars import U64, DateTime, Slot


@strawberry.type
class ProtocolQueries:
    """Fields of Query about what all threads share."""

    @resolved("The chain that this server follows. Null only with an error, when Solana is away.")
    async def chain(self, info: Info) -> Chain | None:
        context = info.context
        genesis, slot, height, time = await asyncio.gather(
            context.chain.genesis_hash(), context.chain.slot(), context.chain.block_height(), context.loaders.now()
        )
        return Chain(
            identifier=context.chain_identifier,
            genesis_hash=genesis,
            slot=Slot(slot),
            block_height=U64(height),
            time=DateTime(time),
        )

    @resolved("The deployment of the program that this server follows. Null only with an error, when Solana is away.")
    async def protocol(self, info: Info) -> Protocol | None:
        return await read_protocol(info.context)


async def read_protocol(context: Context) -> Protocol | None:
    """The `Protocol` account; its treasury is read along."""
    context.loaders.accounts.want(context.addresses.treasury())
    read, token = await asyncio.gather(context.loaders.protocol(), context.loaders.token())
    return None if read is None else Protocol(context=context, account=read[0], token=token)
