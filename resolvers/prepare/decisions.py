"""Preparing what becomes of a pending message."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.prepare.arguments import ContentHash, Fees, Sender, Wallet, domain_fees, shown
from schema.fields import resolved
from schema.prepare import PrepareResult


@strawberry.type
class PrepareDecisions:
    """Fields of Prepare. A message that neither the wallet nor the viewer may see does not exist."""

    @resolved("A co-author's vote on a pending message.")
    async def cast_vote(
        self,
        info: Info,
        wallet: Wallet,
        content_hash: ContentHash,
        approve: Annotated[bool, strawberry.argument(description="True for publication, false against it.")],
        fees: Fees = None,
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.cast_vote(
            wallet, content_hash, approve, domain_fees(fees), viewer=context.wallet
        )
        return await shown(context, prepared)

    @resolved("An author's pending message, taken back before the first vote.")
    async def cancel_message(
        self, info: Info, wallet: Wallet, content_hash: ContentHash, fees: Fees = None
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.cancel_message(wallet, content_hash, domain_fees(fees), viewer=context.wallet)
        return await shown(context, prepared)

    @resolved("The end of a pending message whose window has passed. Only who pays the fee signs.")
    async def expire_message(
        self, info: Info, wallet: Sender, content_hash: ContentHash, fees: Fees = None
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.expire_message(wallet, content_hash, domain_fees(fees), viewer=context.wallet)
        return await shown(context, prepared)

    @resolved(
        "Another evaluation of an open message, where it would decide something: NotAllowedNow with NOTHING_TO_DECIDE "
        "says that it would not. Only who pays the fee signs."
    )
    async def resolve_message(
        self, info: Info, wallet: Sender, content_hash: ContentHash, fees: Fees = None
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.resolve_message(
            wallet, content_hash, domain_fees(fees), viewer=context.wallet
        )
        return await shown(context, prepared)
