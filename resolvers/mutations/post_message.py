"""postMessage: input, result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import PostMessage
from resolvers.mutations.running import PROMISE, Refusals, TransactionInput, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.problems import ContentMismatch, NotACoAuthor, NotAllowedNow, NotFound
from schema.scalars import Hash
from schema.user import User


@strawberry.input(description="A co-author's signed message and the text behind its hash.")
class PostMessageInput(TransactionInput):
    """Body and salt must hash to the body_hash in the transaction."""

    body: str = strawberry.field(description="The text: 1 to 16,384 bytes of UTF-8, hashed exactly as it is sent.")
    salt: Hash = strawberry.field(description="The salt that `prepare` returned beside the transaction.")


@strawberry.type(description="The message is published.")
class PostMessageSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    wallet: User = strawberry.field(description="Its author.")


PostMessageResult = Annotated[
    PostMessageSuccess | ContentMismatch | NotACoAuthor | NotFound | NotAllowedNow | Refusals,
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
        ran = await answer(info, PostMessage, input, PostMessageSuccess.of, body=input.body, salt=input.salt)
        return cast("PostMessageResult", ran)
