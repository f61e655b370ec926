"""resolveMessage: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import ResolveMessage
from resolvers.mutations.running import ANYBODY, PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The votes were evaluated again.")
class ResolveMessageSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, decided unless it says otherwise.")
    wallet: User = strawberry.field(description="Who paid the rent.")


ResolveMessageResult = Annotated[
    ResolveMessageSuccess | NotFound | NotAllowedNow | Refusals,
    strawberry.union("ResolveMessageResult", description="What resolveMessage did, or why it did not."),
]


@strawberry.type
class ResolveMessageMutation:
    """Field of Mutation."""

    @resolved(
        "Evaluate an open message again, after a co-author has left or a seat has become free. Refused with "
        "NOTHING_TO_DECIDE where that would decide nothing; where it turns out so only as it lands, the message is "
        f"still PENDING in the answer and nothing has changed. {PROMISE} {ANYBODY}"
    )
    async def resolve_message(self, info: Info, input: Signed) -> ResolveMessageResult:
        return cast("ResolveMessageResult", await answer(info, ResolveMessage, input, ResolveMessageSuccess.of))
