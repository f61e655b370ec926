"""The system's reserve."""

from __future__ import annotations

import asyncio

import strawberry

from chorale.context import Context, Info
from schema.fields import resolved
from schema.protocol_changes import protocol_reached
from schema.scalars import Slot
from schema.treasury import Treasury


@strawberry.type
class TreasuryQueries:
    """Field of Query about the treasury."""

    @resolved(
        "The system's reserve with its history. Null before the program is initialised, and with an error when an "
        "authority is away."
    )
    async def treasury(self, info: Info) -> Treasury | None:
        return await read_treasury(info.context)


async def read_treasury(context: Context) -> Treasury | None:
    """Balance and history of one version of the protocol. Raises MixedVersionsError where the history has gone on while
    the balance was read, StaleReadError where it stays behind."""
    loaders, address = context.loaders, context.addresses.treasury()
    before = await context.index.treasury()
    loaders.accounts.want(address)
    read, token = await asyncio.gather(loaders.protocol(), loaders.token())
    if read is None:
        return None
    account = read[0]
    held, slot = await loaders.token_amount(address)
    await protocol_reached(context, account.sequence)
    totals = await context.index.treasury()
    if totals.sequence > account.sequence or (before.sequence == account.sequence and totals != before):
        raise loaders.mixture()
    return Treasury(context=context, protocol=account, token=token, held=held, totals=totals, slot=Slot(slot))
