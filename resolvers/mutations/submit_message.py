"""submitMessage: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from chorale.domain.commands import SubmitMessage
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
    AlreadyACoAuthor,
    AuthorityUnavailable,
    ContentMismatch,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidInput,
    NotAllowedNow,
    NotFound,
    Problem,
    StakeTooLow,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
)
from schema.scalars import Base64, Hash
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@strawberry.input(description="An outsider's signed message and the text behind its hash.")
class SubmitMessageInput:
    """Body and salt must hash to the body_hash in the transaction."""

    signed_transaction: Base64 = strawberry.field(description=SIGNED_TRANSACTION)
    body: str = strawberry.field(description="The text: 1 to 16,384 bytes of UTF-8, hashed exactly as it is sent.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type(description="The message is pending.")
class SubmitMessageSuccess:
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, awaiting the co-authors' votes.")
    thread: Thread = strawberry.field(description="Its thread.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="Its author.")


SubmitMessageResult = Annotated[
    SubmitMessageSuccess
    | InvalidInput
    | ContentMismatch
    | AlreadyACoAuthor
    | StakeTooLow
    | NotFound
    | NotAllowedNow
    | InsufficientFunds
    | TransactionInvalid
    | TransactionExpired
    | TransactionRejected
    | IdempotencyConflict
    | AuthorityUnavailable,
    strawberry.union("SubmitMessageResult", description="What submitMessage did, or why it did not."),
]


@strawberry.type
class SubmitMessageMutation:
    """Field of Mutation."""

    @resolved(f"Submit an outsider's message with a stake; the co-authors decide on it. {PROMISE}")
    async def submit_message(
        self,
        info: Info,
        input: Annotated[SubmitMessageInput, strawberry.argument(description="The signed message.")],
    ) -> SubmitMessageResult:
        shown = await run(
            info,
            SubmitMessage(
                signed_transaction=input.signed_transaction,
                body=input.body,
                salt=input.salt,
                client_mutation_id=input.client_mutation_id,
                idempotency_key=input.idempotency_key,
            ),
        )
        if isinstance(shown, Problem):
            return shown  # type: ignore[return-value]  # the union's member is chosen by the refusal's name
        return SubmitMessageSuccess(
            message=message_of(shown), thread=thread_of(shown), update=shown.update, wallet=shown.wallet
        )
