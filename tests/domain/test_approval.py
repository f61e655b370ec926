"""Who sees a message, who votes on it and who is owed something: the whole table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from chorale.domain.accounts import NO_LEAF, CoAuthor, MessageAccount, StatusByte, ThreadAccount, Vote
from chorale.domain.approval import (
    MessageStatus,
    can_claim,
    can_vote,
    may_see,
    may_see_message,
    required_voters,
)

AUTHOR, ANA, BEN, LEFT, STRANGER = "author", "ana", "ben", "left", "stranger"
THREAD = ThreadAccount(
    address="thread",
    thread_id="aa" * 32,
    creator=ANA,
    nonce=0,
    created_at=0,
    title_hash="bb" * 32,
    token_balance=0,
    stakes_total=0,
    escrow_total=0,
    treasury_due=0,
    message_count=1,
    pending_count=1,
    published_count=0,
    sequence=5,
    activity_at=0,
    activity_sequence=5,
    content_root="cc" * 32,
    frontier=("00" * 32,) * 20,
    co_authors=(CoAuthor(ANA, 1), CoAuthor(BEN, 3)),
)
MESSAGE = MessageAccount(
    address="message",
    thread="thread",
    author=AUTHOR,
    status=MessageStatus.PENDING,
    content_hash="dd" * 32,
    body_hash="ee" * 32,
    nonce=0,
    stake=1000,
    escrow_remaining=0,
    share=0,
    submitted_at=0,
    expires_at=100,
    decided_at=0,
    submitted_sequence=2,
    sequence=4,
    leaf_index=NO_LEAF,
    votes=(Vote(LEFT, False, False, 10),),
)

EVERYONE: tuple[str | None, ...] = (None, STRANGER, AUTHOR, ANA, LEFT)
CONCERNED: tuple[str | None, ...] = (AUTHOR, ANA, LEFT)
SEEN_BY: dict[MessageStatus, tuple[str | None, ...]] = {
    MessageStatus.STAGED: (AUTHOR,),
    MessageStatus.PENDING: CONCERNED,
    MessageStatus.PUBLISHED: EVERYONE,
    MessageStatus.DENIED: CONCERNED,
    MessageStatus.SPLIT: CONCERNED,
    MessageStatus.EXPIRED: CONCERNED,
    MessageStatus.CANCELLED: CONCERNED,
}


@pytest.mark.parametrize(("status", "viewer"), list(product(MessageStatus, EVERYONE)))
def test_visibility(status: MessageStatus, viewer: str | None) -> None:
    """Published is for everyone, staged for its author, the rest for author, co-authors and whoever voted."""
    seen = viewer in SEEN_BY[status]
    message = replace(MESSAGE, status=status)
    assert may_see_message(message, THREAD, viewer) is seen
    assert (
        may_see(status, author=AUTHOR, voters=(LEFT,), viewer=viewer, viewer_is_co_author=viewer in {ANA, BEN}) is seen
    )


def test_every_status_but_staged_has_its_byte() -> None:
    """The program's bytes and the statuses are the same set."""
    assert {byte.status for byte in StatusByte} == set(MessageStatus) - {MessageStatus.STAGED}
    assert [byte.value for byte in StatusByte] == [1, 2, 3, 4, 5, 6]


def test_required_voters() -> None:
    """All present co-authors but the author decide, and nobody once it is decided."""
    assert required_voters(MESSAGE, THREAD) == (ANA, BEN)
    assert required_voters(replace(MESSAGE, author=BEN), THREAD) == (ANA,)
    for status in set(MessageStatus) - {MessageStatus.PENDING}:
        assert required_voters(replace(MESSAGE, status=status), THREAD) == ()


@pytest.mark.parametrize(
    ("message", "viewer", "now", "expected"),
    [
        (MESSAGE, ANA, 99, True),
        (MESSAGE, ANA, 100, False),
        (MESSAGE, None, 99, False),
        (MESSAGE, STRANGER, 99, False),
        (MESSAGE, AUTHOR, 99, False),
        (MESSAGE, LEFT, 99, False),
        (replace(MESSAGE, author=ANA), ANA, 99, False),
        (replace(MESSAGE, votes=(Vote(ANA, True, False, 1),)), ANA, 99, False),
        (replace(MESSAGE, votes=(Vote(ANA, True, False, 1),)), BEN, 99, True),
    ],
)
def test_can_vote(message: MessageAccount, viewer: str | None, now: int, expected: bool) -> None:
    """Present co-authors but the author vote once, before the window ends."""
    assert can_vote(message, THREAD, viewer, now) is expected


def test_nobody_votes_on_what_is_decided() -> None:
    """Only a pending message takes votes."""
    for status in set(MessageStatus) - {MessageStatus.PENDING}:
        assert not can_vote(replace(MESSAGE, status=status), THREAD, ANA, 99)


DENIED = replace(
    MESSAGE,
    status=MessageStatus.DENIED,
    share=500,
    escrow_remaining=500,
    votes=(Vote(ANA, False, True, 1), Vote(BEN, False, False, 2), Vote(LEFT, True, False, 3)),
)


@pytest.mark.parametrize(
    ("message", "viewer", "expected"),
    [
        (DENIED, BEN, True),
        (DENIED, ANA, False),
        (DENIED, LEFT, False),
        (DENIED, AUTHOR, False),
        (DENIED, None, False),
        (replace(DENIED, share=0), BEN, False),
        (replace(MESSAGE, status=MessageStatus.EXPIRED, escrow_remaining=1), AUTHOR, True),
        (replace(MESSAGE, status=MessageStatus.CANCELLED, escrow_remaining=1), AUTHOR, True),
        (replace(MESSAGE, status=MessageStatus.EXPIRED, escrow_remaining=1), ANA, False),
        (replace(MESSAGE, status=MessageStatus.EXPIRED, escrow_remaining=0), AUTHOR, False),
        (replace(MESSAGE, status=MessageStatus.SPLIT), AUTHOR, False),
        (MESSAGE, AUTHOR, False),
    ],
)
def test_can_claim(message: MessageAccount, viewer: str | None, expected: bool) -> None:
    """A denier is owed an unclaimed share, an author what is left of an expired or cancelled stake."""
    assert can_claim(message, viewer) is expected
