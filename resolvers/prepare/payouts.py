"""Preparing what pays tokens out of a thread's vault."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.prepare.arguments import ContentHash, Fees, Payee, Sender, ThreadId, Wallet, domain_fees, shown
from schema.fields import resolved
from schema.prepare import PrepareResult
from schema.scalars import U64

_INTO = (
    "Paid into the associated token account; where that is missing the transaction makes it first, and `rentLamports` "
    "holds its rent."
)


@strawberry.type
class PreparePayouts:
    """Fields of Prepare. A message that neither the wallet nor the viewer may see does not exist."""

    @resolved(f"A denier's share of a denied message's stake. {_INTO}")
    async def claim_escrow(
        self, info: Info, wallet: Payee, content_hash: ContentHash, fees: Fees = None
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.claim_escrow(wallet, content_hash, domain_fees(fees), viewer=context.wallet)
        return await shown(context, prepared)

    @resolved(f"The stake of an expired or cancelled message, back to its author. {_INTO}")
    async def refund_stake(
        self, info: Info, wallet: Payee, content_hash: ContentHash, fees: Fees = None
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.refund_stake(wallet, content_hash, domain_fees(fees), viewer=context.wallet)
        return await shown(context, prepared)

    @resolved(
        "A co-author leaves with an equal share of the thread's balance; the last one takes all of it and stays. "
        f"{_INTO}"
    )
    async def divest(
        self,
        info: Info,
        wallet: Wallet,
        thread_id: ThreadId,
        min_payout: Annotated[
            U64 | None,
            strawberry.argument(
                description="The least to leave with, in base units. Where left out it is the share of this moment: "
                "should it shrink before the transaction lands, that is refused with PAYOUT_TOO_LOW and nobody leaves."
            ),
        ] = None,
        fees: Fees = None,
    ) -> PrepareResult:
        prepared = await info.context.preparer.divest(wallet, thread_id, min_payout, domain_fees(fees))
        return await shown(info.context, prepared)

    @resolved("What a thread owes the treasury. Only who pays the fee signs.")
    async def sweep_thread(self, info: Info, wallet: Sender, thread_id: ThreadId, fees: Fees = None) -> PrepareResult:
        prepared = await info.context.preparer.sweep_thread(wallet, thread_id, domain_fees(fees))
        return await shown(info.context, prepared)
