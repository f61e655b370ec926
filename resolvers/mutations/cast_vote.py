"""castVote: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import CastVote
from resolvers.mutations.running import PROMISE, Refusals, Signed, answer
from resolvers.mutations.successes import MessageSuccess
from schema.fields import resolved
from schema.message import Message
from schema.problems import NotACoAuthor, NotAllowedNow, NotFound
from schema.user import User


@strawberry.type(description="The vote counts.")
class CastVoteSuccess(MessageSuccess):
    """The whole entities, of one version, as read after the update."""

    message: Message = strawberry.field(description="The message, decided where this was the last vote missing.")
    wallet: User = strawberry.field(description="The voter.")


CastVoteResult = Annotated[
    CastVoteSuccess | NotACoAuthor | NotFound | NotAllowedNow | Refusals,
    strawberry.union("CastVoteResult", description="What castVote did, or why it did not."),
]


@strawberry.type
class CastVoteMutation:
    """Field of Mutation."""

    @resolved(
        "Vote on a pending message. The last missing vote decides it: all approve publishes, all deny shares the "
        f"stake out, mixed votes give it to the treasury. {PROMISE} "
        "Sign in as the voter: anybody else's call runs as well, and gets the error FORBIDDEN with the outcome where "
        "the message is not theirs to see."
    )
    async def cast_vote(self, info: Info, input: Signed) -> CastVoteResult:
        return cast("CastVoteResult", await answer(info, CastVote, input, CastVoteSuccess.of))
