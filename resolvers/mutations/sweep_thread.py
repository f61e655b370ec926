"""sweepThread: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import SweepThread
from resolvers.mutations.running import PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import ThreadSuccess
from schema.fields import resolved
from schema.problems import NotFound
from schema.user import User


@strawberry.type(description="The treasury has what it was owed.")
class SweepThreadSuccess(ThreadSuccess):
    """The whole entity, as read after the update."""

    wallet: User = strawberry.field(description="Who paid the fee.")


SweepThreadResult = Annotated[
    SweepThreadSuccess | NotFound | Refusals,
    strawberry.union("SweepThreadResult", description="What sweepThread did, or why it did not."),
]


@strawberry.type
class SweepThreadMutation:
    """Field of Mutation."""

    @resolved(
        "Pay the treasury what a thread owes it: stakes of split votes, remainders of shares, and tokens that were "
        f"sent to the vault unasked. Anybody may send it. {PROMISE}"
    )
    async def sweep_thread(self, info: Info, input: Signed) -> SweepThreadResult:
        return cast("SweepThreadResult", await answer(info, SweepThread, input, SweepThreadSuccess.of))
