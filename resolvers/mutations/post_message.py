"""postMessage: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from chorale.domain.commands import PostMessage
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
    ContentMismatch,
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
from schema.scalars import Base64, Hash
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@strawberry.input(description="A co-author's signed message and the text behind its hash.")
class PostMessageInput:
    """Body and salt must hash to the body_hash in the transaction."""

    signed_transaction: Base64 = strawberry.field(description=SIGNED_TRANSACTION)
    body: str = strawberry.field(description="The text: 1 to 16,384 bytes of UTF-8, hashed exactly as it is sent.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type(description="The message is published.")
class PostMessageSuccess:
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message.")
    thread: Thread = strawberry.field(description="Its thread.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="Its author.")


PostMessageResult = Annotated[
    PostMessageSuccess
    | InvalidInput
    | ContentMismatch
    | NotACoAuthor
    | NotFound
    | NotAllowedNow
    | InsufficientFunds
    | TransactionInvalid
    | TransactionExpired
    | TransactionRejected
    | IdempotencyConflict
    | AuthorityUnavailable,
    strawberry.union("PostMessageResult", description="What postMessage did, or why it did not."),
]


@strawberry.type
class PostMessageMutation:
    """Field of Mutation."""

    @resolved(f"Publish a co-author's message at once, without stake or votes. {PROMISE}")
    async def post_message(
        self,
        info: Info,
        input: Annotated[PostMessageInput, strawberry.argument(description="The signed message.")],
    ) -> PostMessageResult:
        shown = await run(
            info,
            PostMessage(
                signed_transaction=input.signed_transaction,
                body=input.body,
                salt=input.salt,
                client_mutation_id=input.client_mutation_id,
                idempotency_key=input.idempotency_key,
            ),
        )
        if isinstance(shown, Problem):
            return shown  # type: ignore[return-value]  # the union's member is chosen by the refusal's name
        return PostMessageSuccess(
            message=message_of(shown), thread=thread_of(shown), update=shown.update, wallet=shown.wallet
        )
