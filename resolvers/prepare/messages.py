"""Preparing what comes with a text."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.prepare.arguments import Body, Fees, Nonce, Salt, ThreadId, Wallet, domain_fees, shown
from schema.fields import resolved
from schema.prepare import PrepareResult
from schema.scalars import U64


@strawberry.type
class PrepareMessages:
    """Fields of Prepare."""

    @resolved("A new thread, whose creator becomes its first co-author.")
    async def create_thread(
        self,
        info: Info,
        wallet: Wallet,
        title: Annotated[str, strawberry.argument(description="The title, 1 to 256 bytes of UTF-8 in NFC.")],
        nonce: Nonce = None,
        salt: Salt = None,
        fees: Fees = None,
    ) -> PrepareResult:
        prepared = await info.context.preparer.create_thread(wallet, title, nonce, salt, domain_fees(fees))
        return await shown(info.context, prepared)

    @resolved("A co-author's message, published at once.")
    async def post_message(
        self,
        info: Info,
        wallet: Wallet,
        thread_id: ThreadId,
        body: Body,
        nonce: Nonce = None,
        salt: Salt = None,
        fees: Fees = None,
    ) -> PrepareResult:
        prepared = await info.context.preparer.post_message(wallet, thread_id, body, nonce, salt, domain_fees(fees))
        return await shown(info.context, prepared)

    @resolved("An outsider's message with a stake, for the co-authors to vote on.")
    async def submit_message(
        self,
        info: Info,
        wallet: Wallet,
        thread_id: ThreadId,
        body: Body,
        stake: Annotated[U64, strawberry.argument(description="What is put down, in base units of the token.")],
        nonce: Nonce = None,
        salt: Salt = None,
        fees: Fees = None,
    ) -> PrepareResult:
        prepared = await info.context.preparer.submit_message(
            wallet, thread_id, body, stake, nonce, salt, domain_fees(fees)
        )
        return await shown(info.context, prepared)
