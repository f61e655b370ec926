"""What a finished message owes: to those who denied it, or back to its author."""

from __future__ import annotations

import strawberry

from chorale.context import Context
from chorale.domain.accounts import MessageAccount
from chorale.domain.approval import MessageStatus
from datasources.loaders import Token
from schema.token import TokenAmount
from schema.user import User


@strawberry.type(description="One denier's part of a denied message's stake.")
class EscrowShare:
    """An embedded value without an identity of its own."""

    claimant: User = strawberry.field(description="Who may claim it: a co-author who denied, also one who has left.")
    amount: TokenAmount = strawberry.field(description="How much it is; the same for every denier.")
    claimed: bool = strawberry.field(description="Whether it has been paid. Each share is paid once.")


def shares_of(context: Context, account: MessageAccount, token: Token) -> list[EscrowShare]:
    """Shares of a denied message in the order of its votes; none where the stake was too small to be shared."""
    if account.status is not MessageStatus.DENIED or not account.share:
        return []
    return [
        EscrowShare(
            claimant=User.of(context, vote.voter), amount=TokenAmount.of(account.share, token), claimed=vote.claimed
        )
        for vote in account.votes
        if not vote.approve
    ]


def refund_of(account: MessageAccount) -> int:
    """Base units that the author may still have back."""
    ended = account.status in (MessageStatus.EXPIRED, MessageStatus.CANCELLED)
    return account.escrow_remaining if ended else 0
