"""Unsigned transactions for wallets: nothing is changed and nothing is kept."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Context, Info
from chorale.domain import commands
from chorale.domain.updates import Refusal
from schema.fields import resolved
from schema.prepare import FeeOptions, PreparedTransaction, PrepareResult
from schema.problems import problem_of
from schema.scalars import U64, Hash, Pubkey

Wallet = Annotated[Pubkey, strawberry.argument(description="The wallet that will sign.")]
ThreadId = Annotated[Hash, strawberry.argument(description="The thread to write into.")]
Body = Annotated[str, strawberry.argument(description="The text, 1 byte to 16 KiB of UTF-8 in NFC.")]
Nonce = Annotated[
    U64 | None,
    strawberry.argument(description="The wallet's own number for it; a random one where left out. Keep it to retry."),
]
Salt = Annotated[
    Hash | None,
    strawberry.argument(description="32 bytes that the text is hashed with; random ones where left out."),
]
Fees = Annotated[FeeOptions | None, strawberry.argument(description="Who pays, and what priority is offered.")]


@strawberry.type(
    description="Makes unsigned transactions: the wallet signs, the mutation of the same name takes the signed bytes."
)
class Prepare:
    """One field per instruction."""

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
        prepared = await info.context.preparer.create_thread(wallet, title, nonce, salt, _fees(fees))
        return await _result(info.context, prepared)

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
        prepared = await info.context.preparer.post_message(wallet, thread_id, body, nonce, salt, _fees(fees))
        return await _result(info.context, prepared)

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
        prepared = await info.context.preparer.submit_message(wallet, thread_id, body, stake, nonce, salt, _fees(fees))
        return await _result(info.context, prepared)

    @resolved("A co-author's vote on a pending message.")
    async def cast_vote(
        self,
        info: Info,
        wallet: Wallet,
        content_hash: Annotated[Hash, strawberry.argument(description="The message to vote on.")],
        approve: Annotated[bool, strawberry.argument(description="True for publication, false against it.")],
        fees: Fees = None,
    ) -> PrepareResult:
        context = info.context
        prepared = await context.preparer.cast_vote(wallet, content_hash, approve, _fees(fees), viewer=context.wallet)
        return await _result(context, prepared)


@strawberry.type
class PrepareQueries:
    """The one field of Query that leads to them."""

    @resolved("Unsigned transactions for wallets. Answers are never cached.")
    def prepare(self) -> Prepare:
        return Prepare()


def _fees(fees: FeeOptions | None) -> commands.FeeOptions | None:
    return None if fees is None else fees.to_domain()


async def _result(context: Context, prepared: commands.PreparedTransaction | Refusal) -> PrepareResult:
    if isinstance(prepared, Refusal):
        return cast("PrepareResult", await problem_of(context, prepared))
    return PreparedTransaction.of(prepared)
