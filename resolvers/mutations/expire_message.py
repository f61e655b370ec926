"""expireMessage: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import ExpireMessage
from resolvers.mutations.running import ANYBODY, PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The message has expired.")
class ExpireMessageSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, expired.")
    wallet: User = strawberry.field(description="Who paid the fee.")


ExpireMessageResult = Annotated[
    ExpireMessageSuccess | NotFound | NotAllowedNow | Refusals,
    strawberry.union("ExpireMessageResult", description="What expireMessage did, or why it did not."),
]


@strawberry.type
class ExpireMessageMutation:
    """Field of Mutation."""

    @resolved(
        "End a pending message whose window has passed, whatever votes there are. Its stake waits in the escrow for "
        f"refundStake. {PROMISE} {ANYBODY}"
    )
    async def expire_message(self, info: Info, input: Signed) -> ExpireMessageResult:
        return cast("ExpireMessageResult", await answer(info, ExpireMessage, input, ExpireMessageSuccess.of))
