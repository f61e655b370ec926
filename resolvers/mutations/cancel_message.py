"""cancelMessage: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import CancelMessage
from resolvers.mutations.running import PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The message is taken back.")
class CancelMessageSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, cancelled.")
    wallet: User = strawberry.field(description="Its author.")


CancelMessageResult = Annotated[
    CancelMessageSuccess | NotFound | NotAllowedNow | Refusals,
    strawberry.union("CancelMessageResult", description="What cancelMessage did, or why it did not."),
]


@strawberry.type
class CancelMessageMutation:
    """Field of Mutation."""

    @resolved(
        "Take an own message back before the first vote. Its stake waits in the escrow for refundStake. "
        f"{PROMISE} "
        "Sign in as the author: anybody else's call runs as well, and gets the error FORBIDDEN with the outcome where "
        "the message is not theirs to see."
    )
    async def cancel_message(self, info: Info, input: Signed) -> CancelMessageResult:
        return cast("CancelMessageResult", await answer(info, CancelMessage, input, CancelMessageSuccess.of))
