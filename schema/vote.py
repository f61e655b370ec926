"""A co-author's vote on a message."""

from __future__ import annotations

import strawberry

from chorale.context import Context
from chorale.domain import accounts
from schema.user import User


@strawberry.type(description="A vote that is on chain. It counts for good, also after its voter has left the thread.")
class Vote:
    """An embedded value without an identity of its own."""

    voter: User = strawberry.field(description="Who voted.")
    approve: bool = strawberry.field(description="True for publication, false against it.")
    claimed: bool = strawberry.field(
        description="Whether a denier has taken their share of a denied message's stake already."
    )

    @classmethod
    def of(cls, context: Context, vote: accounts.Vote) -> Vote:
        """The vote as the message's account holds it."""
        return cls(voter=User.of(context, vote.voter), approve=vote.approve, claimed=vote.claimed)
