"""What the mutations that carry a signed transaction share: their input, how they run, and what they may show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry

from chorale.context import Context, Info
from chorale.domain.approval import may_see_message
from chorale.domain.commands import Command, ExpireMessage, ResolveMessage, UpdateResult
from chorale.domain.errors import ForbiddenError
from chorale.domain.updates import Refusal
from resolvers.mutations.successes import unknown_yet
from schema.problems import (
    AuthorityUnavailable,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidInput,
    Problem,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
    problem_of,
)
from schema.scalars import Base64
from schema.settled import Settled, settled

S = TypeVar("S")

SIGNED_TRANSACTION = "What `prepare` returned, signed by every wallet that it names."
CLIENT_MUTATION_ID = "Comes back unchanged in the update."
IDEMPOTENCY_KEY = (
    "At most 128 characters, kept for a day. The same wallet, mutation, key and content get the stored result; another "
    "content gets an IdempotencyConflict. Without a key the transaction's signature serves. Where the wallet that it "
    "is done for did not sign, the fee payer counts."
)
PROMISE = (
    "Returns once Solana has confirmed it, everything derived has followed and all of it has been read back "
    "(VERIFIED): whoever queries this server from then on, search included, sees it. CONFIRMED says that the rest is "
    "still under way, UNKNOWN that the chain has not answered in time; `stateUpdate` tells how it ends. A Problem says "
    "that nothing has changed. Sending the same again is safe."
)
ANYBODY = (
    "Anybody may send it. Where the message is not the caller's to see it runs as well, and gets the error FORBIDDEN "
    "with the outcome instead."
)
Refusals = (
    InvalidInput
    | InsufficientFunds
    | TransactionInvalid
    | TransactionExpired
    | TransactionRejected
    | IdempotencyConflict
    | AuthorityUnavailable
)
"""What every such mutation's union offers beside its Success and its own Problems."""

_ANYBODYS = (ExpireMessage, ResolveMessage)


@strawberry.input(description="A signed transaction that needs nothing beside it.")
class TransactionInput:
    """Shared by the mutations without content."""

    signed_transaction: Base64 = strawberry.field(description=SIGNED_TRANSACTION)
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


Signed = Annotated[TransactionInput, strawberry.argument(description="The signed transaction.")]


async def answer(
    info: Info, command: type[Command], input: TransactionInput, show: Callable[[Settled], S], **text: str
) -> S | Problem:
    """Run `command` with what `input` holds and `text` adds; an update that has begun goes on where the caller leaves
    meanwhile. `show` makes the Success.

    Raises ForbiddenError where it ran, but its message is not for the caller to see, AuthorityUnavailableError where
    that cannot be told since the chain went away.
    """
    context = info.context
    given = command(
        signed_transaction=input.signed_transaction,
        client_mutation_id=input.client_mutation_id,
        idempotency_key=input.idempotency_key,
        **text,
    )
    result = await context.updates.run(given)
    if isinstance(result, Refusal):
        return await problem_of(context, result)
    acts = _acts_for_its_wallet(context, given, result)
    if not acts and not _visible(context, result):
        raise ForbiddenError(
            f"The update {result.update.signature} is {result.update.outcome}. Its message is not visible to you: "
            "sign in as a wallet that may see it."
        )
    return show(await settled(context, result, viewer=result.wallet if acts else context.wallet))


def _acts_for_its_wallet(context: Context, command: Command, result: UpdateResult) -> bool:
    """Whether the caller may see what the wallet sees: signed in as it, or having brought the text itself.

    A signature proves nothing: whoever reads the chain, or pays the fee, holds the transaction as well. And what
    anybody may send gives the wallet behind it no sight.
    """
    if isinstance(command, _ANYBODYS):
        return False
    return context.wallet == result.wallet or command.own_text is not None


def _visible(context: Context, result: UpdateResult) -> bool:
    if result.content_hash is None:
        return True
    if result.message is None or result.thread is None:
        raise unknown_yet(result.update.signature)
    return may_see_message(result.message, result.thread, context.wallet)
