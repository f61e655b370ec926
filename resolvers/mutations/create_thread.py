"""createThread: input, result and resolver."""

from __future__ import annotations

from typing import Annotated, Self, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import CreateThread
from resolvers.mutations.running import PROMISE, Refusals, TransactionInput, answer
from schema.fields import resolved
from schema.problems import ContentMismatch
from schema.scalars import Hash
from schema.settled import Settled
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@strawberry.input(description="A signed creation and the title behind its hash.")
class CreateThreadInput(TransactionInput):
    """Title and salt must hash to the title_hash in the transaction."""

    title: str = strawberry.field(description="The title: 1 to 256 bytes of UTF-8.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")


@strawberry.type(description="The thread is there.")
class CreateThreadSuccess:
    """The whole entity, as read after the update."""

    thread: Thread | None = strawberry.field(
        description="The new thread; null only where the outcome is UNKNOWN and it is not on chain yet."
    )
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="The creator.")

    @classmethod
    def of(cls, shown: Settled) -> Self:
        """What there is to show."""
        return cls(thread=shown.thread, update=shown.update, wallet=shown.wallet)


CreateThreadResult = Annotated[
    CreateThreadSuccess | ContentMismatch | Refusals,
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
        ran = await answer(info, CreateThread, input, CreateThreadSuccess.of, title=input.title, salt=input.salt)
        return cast("CreateThreadResult", ran)
