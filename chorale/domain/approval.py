"""Rules of approval and visibility as pure functions. The chain decides; these answer what a viewer may see and do."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chorale.domain.accounts import MessageAccount, ThreadAccount


class MessageStatus(StrEnum):
    """Where a message stands. STAGED: bytes are kept, nothing is on chain yet."""

    STAGED = "STAGED"
    PENDING = "PENDING"
    PUBLISHED = "PUBLISHED"
    DENIED = "DENIED"
    SPLIT = "SPLIT"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


def may_see(
    status: MessageStatus,
    *,
    author: str,
    voters: Collection[str],
    viewer: str | None,
    viewer_is_co_author: bool,
) -> bool:
    """Who sees a message: Published everyone; STAGED its author; all else author, co-authors and whoever voted."""
    if status is MessageStatus.PUBLISHED:
        return True
    if viewer is None:
        return False
    if viewer == author:
        return True
    if status is MessageStatus.STAGED:
        return False
    return viewer_is_co_author or viewer in voters


def may_see_message(message: MessageAccount, thread: ThreadAccount, viewer: str | None) -> bool:
    """`may_see` on the accounts themselves: the check that is made again after every chain read."""
    return may_see(
        message.status,
        author=message.author,
        voters=[vote.voter for vote in message.votes],
        viewer=viewer,
        viewer_is_co_author=thread.has_co_author(viewer),
    )


def required_voters(message: MessageAccount, thread: ThreadAccount) -> tuple[str, ...]:
    """Present co-authors but the author while the message is pending; nobody once it is decided."""
    if message.status is not MessageStatus.PENDING:
        return ()
    return tuple(co_author.key for co_author in thread.co_authors if co_author.key != message.author)


def can_vote(message: MessageAccount, thread: ThreadAccount, viewer: str | None, now: int) -> bool:
    """Whether the program would take a vote of `viewer` at unix time `now`."""
    return (
        viewer is not None
        and message.status is MessageStatus.PENDING
        and now < message.expires_at
        and viewer != message.author
        and thread.has_co_author(viewer)
        and message.vote_of(viewer) is None
    )


def can_claim(message: MessageAccount, viewer: str | None) -> bool:
    """Whether something of this message's escrow is owed to `viewer`: a denier's share, or the author's own stake."""
    if viewer is None:
        return False
    if message.status is MessageStatus.DENIED:
        vote = message.vote_of(viewer)
        return vote is not None and not vote.approve and not vote.claimed and message.share > 0
    if message.status in (MessageStatus.EXPIRED, MessageStatus.CANCELLED):
        return viewer == message.author and message.escrow_remaining > 0
    return False
