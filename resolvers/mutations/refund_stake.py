"""refundStake: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import RefundStake
from resolvers.mutations.running import ANYBODY, PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The stake is paid back.")
class RefundStakeSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, its escrow empty.")
    wallet: User = strawberry.field(description="The author who was paid.")


RefundStakeResult = Annotated[
    RefundStakeSuccess | NotFound | NotAllowedNow | Refusals,
    strawberry.union("RefundStakeResult", description="What refundStake did, or why it did not."),
]


@strawberry.type
class RefundStakeMutation:
    """Field of Mutation."""

    @resolved(
        "Pay the stake of an expired or cancelled message back to its author, into the associated token account, which "
        f"the same transaction may make; another account only the author's own signature can name. {PROMISE} {ANYBODY}"
    )
    async def refund_stake(self, info: Info, input: Signed) -> RefundStakeResult:
        return cast("RefundStakeResult", await answer(info, RefundStake, input, RefundStakeSuccess.of))
