"""divest: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import Divest
from resolvers.mutations.running import PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import ThreadSuccess
from schema.fields import resolved
from schema.problems import NotACoAuthor, NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The share is paid and the seat is free.")
class DivestSuccess(ThreadSuccess):
    """The whole entity, as read after the update."""

    wallet: User = strawberry.field(description="Who left.")


DivestResult = Annotated[
    DivestSuccess | NotACoAuthor | NotFound | NotAllowedNow | Refusals,
    strawberry.union("DivestResult", description="What divest did, or why it did not."),
]


@strawberry.type
class DivestMutation:
    """Field of Mutation."""

    @resolved(
        "Leave a thread with an equal share of its balance. The last co-author takes all of it and stays, so that a "
        "thread is never without one. Votes that were cast count on, and shares that are owed can be claimed later. "
        f"{PROMISE}"
    )
    async def divest(self, info: Info, input: Signed) -> DivestResult:
        return cast("DivestResult", await answer(info, Divest, input, DivestSuccess.of))
