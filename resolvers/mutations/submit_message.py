"""submitMessage: input, result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import SubmitMessage
from resolvers.mutations.running import PROMISE, Refusals, TransactionInput, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.problems import AlreadyACoAuthor, ContentMismatch, NotAllowedNow, NotFound, StakeTooLow
from schema.scalars import Hash
from schema.user import User


@strawberry.input(description="An outsider's signed message and the text behind its hash.")
class SubmitMessageInput(TransactionInput):
    """Body and salt must hash to the body_hash in the transaction."""

    body: str = strawberry.field(description="The text: 1 to 16,384 bytes of UTF-8, hashed exactly as it is sent.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")


@strawberry.type(description="The message is pending.")
class SubmitMessageSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    wallet: User = strawberry.field(description="Its author.")


SubmitMessageResult = Annotated[
    SubmitMessageSuccess | ContentMismatch | AlreadyACoAuthor | StakeTooLow | NotFound | NotAllowedNow | Refusals,
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
        ran = await answer(info, SubmitMessage, input, SubmitMessageSuccess.of, body=input.body, salt=input.salt)
        return cast("SubmitMessageResult", ran)
