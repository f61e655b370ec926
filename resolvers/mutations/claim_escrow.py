"""claimEscrow: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import ClaimEscrow
from resolvers.mutations.running import ANYBODY, PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The share is paid.")
class ClaimEscrowSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, with the vote claimed.")
    wallet: User = strawberry.field(description="The denier who was paid.")


ClaimEscrowResult = Annotated[
    ClaimEscrowSuccess | NotFound | NotAllowedNow | Refusals,
    strawberry.union("ClaimEscrowResult", description="What claimEscrow did, or why it did not."),
]


@strawberry.type
class ClaimEscrowMutation:
    """Field of Mutation."""

    @resolved(
        "Pay a denier's share of a denied message's stake. Who has left the thread since is paid as well. The share "
        "goes to the denier's associated token account, which the same transaction may make; another account only the "
        f"denier's own signature can name. {PROMISE} {ANYBODY}"
    )
    async def claim_escrow(self, info: Info, input: Signed) -> ClaimEscrowResult:
        return cast("ClaimEscrowResult", await answer(info, ClaimEscrow, input, ClaimEscrowSuccess.of))
