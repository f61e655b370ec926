"""castVote: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from chorale.domain.commands import CastVote
from resolvers.mutations.running import (
    CLIENT_MUTATION_ID,
    IDEMPOTENCY_KEY,
    PROMISE,
    SIGNED_TRANSACTION,
    message_of,
    run,
    thread_of,
)
from schema.fields import resolved
from schema.message import Message
from schema.problems import (
    AuthorityUnavailable,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidInput,
    NotACoAuthor,
    NotAllowedNow,
    NotFound,
    Problem,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
)
from schema.scalars import Base64
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@strawberry.input(description="A signed transaction that needs nothing beside it.")
class TransactionInput:
    """Shared by the mutations without content."""

    signed_transaction: Base64 = strawberry.field(description=SIGNED_TRANSACTION)
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type(description="The vote counts.")
class CastVoteSuccess:
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, decided where this was the last vote missing.")
    thread: Thread = strawberry.field(description="Its thread.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="The voter.")


CastVoteResult = Annotated[
    CastVoteSuccess
    | InvalidInput
    | NotACoAuthor
    | NotFound
    | NotAllowedNow
    | InsufficientFunds
    | TransactionInvalid
    | TransactionExpired
    | TransactionRejected
    | IdempotencyConflict
    | AuthorityUnavailable,
    strawberry.union("CastVoteResult", description="What castVote did, or why it did not."),
]


@strawberry.type
class CastVoteMutation:
    """Field of Mutation."""

    @resolved(
        "Vote on a pending message. The last missing vote decides it: all approve publishes, all deny shares the "
        f"stake out, mixed votes give it to the treasury. {PROMISE} "
        "Sign in as the voter: anybody else's call runs as well, and gets the error FORBIDDEN instead of a message "
        "that is not theirs to see."
    )
    async def cast_vote(
        self,
        info: Info,
        input: Annotated[TransactionInput, strawberry.argument(description="The signed vote.")],
    ) -> CastVoteResult:
        shown = await run(
            info,
            CastVote(
                signed_transaction=input.signed_transaction,
                client_mutation_id=input.client_mutation_id,
                idempotency_key=input.idempotency_key,
            ),
        )
        if isinstance(shown, Problem):
            return shown  # type: ignore[return-value]  # the union's member is chosen by the refusal's name
        return CastVoteSuccess(
            message=message_of(shown), thread=thread_of(shown), update=shown.update, wallet=shown.wallet
        )
