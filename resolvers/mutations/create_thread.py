"""createThread: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from chorale.domain.commands import CreateThread
from resolvers.mutations.running import CLIENT_MUTATION_ID, IDEMPOTENCY_KEY, PROMISE, SIGNED_TRANSACTION, run
from schema.fields import resolved
from schema.problems import (
    AuthorityUnavailable,
    ContentMismatch,
    IdempotencyConflict,
    InsufficientFunds,
    InvalidInput,
    Problem,
    TransactionExpired,
    TransactionInvalid,
    TransactionRejected,
)
from schema.scalars import Base64, Hash
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@strawberry.input(description="A signed creation and the title behind its hash.")
class CreateThreadInput:
    """Title and salt must hash to the title_hash in the transaction."""

    signed_transaction: Base64 = strawberry.field(description=SIGNED_TRANSACTION)
    title: str = strawberry.field(description="The title: 1 to 256 bytes of UTF-8.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)
    idempotency_key: str | None = strawberry.field(default=None, description=IDEMPOTENCY_KEY)


@strawberry.type(description="The thread is there.")
class CreateThreadSuccess:
    """The whole entity, as read after the update."""

    thread: Thread | None = strawberry.field(
        description="The new thread; null only where the outcome is UNKNOWN and it is not on chain yet."
    )
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="The creator.")


CreateThreadResult = Annotated[
    CreateThreadSuccess
    | InvalidInput
    | ContentMismatch
    | InsufficientFunds
    | TransactionInvalid
    | TransactionExpired
    | TransactionRejected
    | IdempotencyConflict
    | AuthorityUnavailable,
    strawberry.union("CreateThreadResult", description="What createThread did, or why it did not."),
]


@strawberry.type
class CreateThreadMutation:
    """Field of Mutation."""

    @resolved(f"Create a thread; its creator is the first co-author. {PROMISE}")
    async def create_thread(
        self,
        info: Info,
        input: Annotated[CreateThreadInput, strawberry.argument(description="The signed creation.")],
    ) -> CreateThreadResult:
        shown = await run(
            info,
            CreateThread(
                signed_transaction=input.signed_transaction,
                title=input.title,
                salt=input.salt,
                client_mutation_id=input.client_mutation_id,
                idempotency_key=input.idempotency_key,
            ),
        )
        if isinstance(shown, Problem):
            return shown  # type: ignore[return-value]  # the union's member is chosen by the refusal's name
        return CreateThreadSuccess(thread=shown.thread, update=shown.update, wallet=shown.wallet)
