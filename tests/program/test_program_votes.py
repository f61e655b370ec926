"""Votes and what they decide: one each, by co-authors only, while open, and for good."""

from __future__ import annotations

import pytest

from chorale.domain.accounts import NO_LEAF
from chorale.domain.approval import MessageStatus
from chorale.domain.program_errors import ProgramError
from programs import merkle
from programs.accounts import message_size, thread_size
from tests.program.harness import START, WINDOW
from tests.program.stage import STAKE, Stage


@pytest.fixture
def stage() -> Stage:
    """A thread with its creator as the only co-author."""
    return Stage()


def test_an_outsiders_vote_is_refused(stage: Stage) -> None:
    """NotACoAuthor, whatever the vote, and nothing changes."""
    content_hash = stage.submit(stage.chain.wallet())
    for approve in (True, False):
        vote = stage.vote_instruction(stage.outsider, content_hash, approve)
        stage.refused(ProgramError.NOT_A_CO_AUTHOR, vote, stage.outsider)


def test_unanimous_approval_publishes(stage: Stage) -> None:
    """The leaf is appended, the author seated, and the stake becomes common property."""
    content_hash = stage.submit(stage.outsider)
    stage.chain.advance(60)
    result = stage.vote(stage.creator, content_hash)
    thread, message = stage.thread, stage.message(content_hash)
    assert (message.status, message.leaf_index, message.decided_at) == (MessageStatus.PUBLISHED, 0, START + 60)
    assert [(v.voter, v.approve, v.claimed, v.cast_at) for v in message.votes] == [
        (stage.creator.key, True, False, START + 60)
    ]
    assert [(c.key, c.joined_sequence) for c in thread.co_authors] == [
        (stage.creator.key, 1),
        (stage.outsider.key, thread.sequence),
    ]
    assert (thread.token_balance, thread.stakes_total, thread.pending_count) == (STAKE, 0, 0)
    assert thread.content_root == merkle.root_of([content_hash])
    assert (thread.activity_at, thread.activity_sequence, message.sequence) == (START + 60, 3, 3)
    assert [(e.name, e.sequence, e.ordinal) for e in result.events] == [
        ("VoteCast", 3, 0),
        ("MessageDecided", 3, 1),
        ("CoAuthorJoined", 3, 2),
    ]
    assert stage.chain.balance(stage.vault) == STAKE


def test_the_seat_was_paid_for_at_submission(stage: Stage) -> None:
    """Publication moves the seat's rent from the message to the thread; the voter's sponsor pays the fee only."""
    content_hash = stage.submit(stage.outsider)
    fee = 10_000  # two signatures
    before = stage.chain.account(stage.sponsor.key)
    stage.vote(stage.creator, content_hash)
    after, thread = stage.chain.account(stage.sponsor.key), stage.chain.account(stage.thread.address)
    message = stage.chain.account(stage.message(content_hash).address)
    assert before and after and thread and message
    assert before.lamports - after.lamports == fee
    assert len(thread.data) == thread_size(2)
    assert thread.lamports == stage.chain.svm.minimum_balance_for_rent_exemption(thread_size(2))
    assert message.lamports == stage.chain.svm.minimum_balance_for_rent_exemption(message_size(1))


def test_unanimous_denial_shares_the_stake(stage: Stage) -> None:
    """Equal shares for the deniers, the remainder for the treasury, nobody joins."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider, stake=STAKE)
    stage.vote(stage.creator, content_hash, approve=False)
    assert stage.message(content_hash).status is MessageStatus.PENDING
    result = stage.vote(second, content_hash, approve=False)
    thread, message = stage.thread, stage.message(content_hash)
    assert (message.status, message.share, message.escrow_remaining) == (MessageStatus.DENIED, STAKE // 2, 1_000)
    assert (thread.escrow_total, thread.treasury_due, thread.stakes_total) == (1_000, 1, 0)
    assert (message.leaf_index, len(thread.co_authors)) == (NO_LEAF, 2)
    assert [e.name for e in result.events] == ["VoteCast", "MessageDecided"]
    assert (result.events[1].fields["share"], result.events[1].fields["leaf_index"]) == (500, NO_LEAF)


def test_a_split_vote_gives_the_stake_to_the_treasury(stage: Stage) -> None:
    """Mixed votes decide once the last one is in."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash, approve=True)
    result = stage.vote(second, content_hash, approve=False)
    thread, message = stage.thread, stage.message(content_hash)
    assert [e.name for e in result.events] == ["VoteCast", "MessageDecided"]
    assert (message.status, message.share, message.escrow_remaining) == (MessageStatus.SPLIT, 0, 0)
    assert (thread.treasury_due, thread.stakes_total, thread.escrow_total) == (STAKE, 0, 0)


def test_votes_are_cast_once_and_never_on_ones_own(stage: Stage) -> None:
    """AlreadyVoted, OwnMessage (also for an author who has joined since), NotPending, Unauthorized."""
    second = stage.join()
    first_hash, second_hash = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.refused_without("voter", stage.vote_instruction(second, first_hash), second)
    stage.refused(ProgramError.OWN_MESSAGE, stage.vote_instruction(stage.outsider, first_hash), stage.outsider)
    stage.vote(second, first_hash)
    stage.refused(ProgramError.ALREADY_VOTED, stage.vote_instruction(second, first_hash, False), second)
    stage.vote(stage.creator, first_hash)
    stage.refused(ProgramError.NOT_PENDING, stage.vote_instruction(second, first_hash), second)
    stage.refused(ProgramError.OWN_MESSAGE, stage.vote_instruction(stage.outsider, second_hash), stage.outsider)


def test_the_window_closes_at_expires_at(stage: Stage) -> None:
    """One second before it a vote counts, at it none does."""
    early, late = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.chain.set_time(START + WINDOW - 1)
    stage.vote(stage.creator, early)
    stage.chain.set_time(START + WINDOW)
    stage.refused(ProgramError.WINDOW_CLOSED, stage.vote_instruction(stage.creator, late), stage.creator)
    stage.refused(ProgramError.WINDOW_CLOSED, stage.resolve_instruction(late))


def test_who_joined_since_has_to_vote_too(stage: Stage) -> None:
    """A vote beyond the room made at submission lengthens the message by 42 bytes at the payer's cost."""
    first = stage.chain.wallet()
    joining, pending = stage.submit(first), stage.submit(stage.outsider)
    stage.vote(stage.creator, joining)
    stage.vote(first, pending)
    assert len(stage.chain.data(stage.message(pending).address)) == message_size(1)
    assert stage.message(pending).status is MessageStatus.PENDING
    result = stage.vote(stage.creator, pending)
    assert stage.message(pending).status is MessageStatus.PUBLISHED
    assert [v.voter for v in stage.message(pending).votes] == [first.key, stage.creator.key]
    assert len(stage.chain.data(stage.message(pending).address)) == message_size(2)
    assert [e.name for e in result.events] == ["VoteCast", "MessageDecided", "CoAuthorJoined"]
    account = stage.chain.account(stage.message(pending).address)
    assert account is not None
    assert account.lamports == stage.chain.svm.minimum_balance_for_rent_exemption(message_size(2))


def test_an_author_who_has_joined_since_is_not_seated_twice(stage: Stage) -> None:
    """A second message of theirs is published without another seat, and without a vote of theirs."""
    one, two = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.vote(stage.creator, one)
    result = stage.vote(stage.creator, two)
    assert stage.message(two).status is MessageStatus.PUBLISHED
    assert [e.name for e in result.events] == ["VoteCast", "MessageDecided"]
    assert len(stage.thread.co_authors) == 2


def test_a_leavers_vote_counts_for_good(stage: Stage) -> None:
    """An approval by one who has left makes a denial by the rest a split."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(second, content_hash, approve=True)
    stage.must(stage.divest_instruction(second), second)
    stage.vote(stage.creator, content_hash, approve=False)
    assert stage.message(content_hash).status is MessageStatus.SPLIT


def test_votes_of_who_has_left_stand_in_for_nobody(stage: Stage) -> None:
    """As many votes as voters decide nothing while one of those present has not voted."""
    second = stage.join()
    third = stage.join(stage.creator, second)
    content_hash = stage.submit(stage.outsider)
    for leaver in (second, third):
        stage.vote(leaver, content_hash)
        stage.must(stage.divest_instruction(leaver), leaver)
    stage.must(stage.resolve_instruction(content_hash))
    assert stage.message(content_hash).status is MessageStatus.PENDING
    stage.vote(stage.creator, content_hash, approve=False)
    assert stage.message(content_hash).status is MessageStatus.SPLIT


def test_resolve_decides_after_a_departure(stage: Stage) -> None:
    """While somebody is missing it changes nothing; once they have left it publishes."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash)
    before = (stage.thread, stage.message(content_hash))
    assert stage.must(stage.resolve_instruction(content_hash)).events == ()
    assert (stage.thread, stage.message(content_hash)) == before
    stage.must(stage.divest_instruction(second), second)
    result = stage.must(stage.resolve_instruction(content_hash))
    assert [e.name for e in result.events] == ["MessageDecided", "CoAuthorJoined"]
    assert stage.message(content_hash).status is MessageStatus.PUBLISHED
    assert [c.key for c in stage.thread.co_authors] == [stage.creator.key, stage.outsider.key]
    stage.refused(ProgramError.NOT_PENDING, stage.resolve_instruction(content_hash))


def test_resolve_expires_what_nobody_can_vote_on(stage: Stage) -> None:
    """The author alone is left: no voters, no votes, Expired, and the stake is theirs again."""
    one, two = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.vote(stage.creator, one)
    stage.must(stage.divest_instruction(stage.creator), stage.creator)
    result = stage.must(stage.resolve_instruction(two))
    assert [e.name for e in result.events] == ["MessageExpired"]
    assert (stage.message(two).status, stage.message(two).escrow_remaining) == (MessageStatus.EXPIRED, STAKE)
    assert (stage.thread.stakes_total, stage.thread.escrow_total) == (0, STAKE)


def test_a_full_thread_waits_for_a_seat(stage: Stage) -> None:
    """Approved by 64, the 65th stays pending; resolve seats them once somebody has left, in the room left behind."""
    wallets = stage.crowd(63)
    waiting = stage.submit(stage.outsider)
    taker = stage.chain.wallet()
    taken = stage.submit(taker)
    for voter in wallets:
        stage.vote(voter, taken)
        stage.vote(voter, waiting)
    assert len(stage.thread.co_authors) == 64
    assert stage.message(waiting).status is MessageStatus.PENDING
    stage.vote(taker, waiting)
    assert stage.message(waiting).status is MessageStatus.PENDING
    stage.must(stage.resolve_instruction(waiting))
    assert stage.message(waiting).status is MessageStatus.PENDING
    stage.must(stage.divest_instruction(wallets[5]), wallets[5])
    stage.must(stage.resolve_instruction(waiting))
    assert stage.message(waiting).status is MessageStatus.PUBLISHED
    assert stage.thread.co_authors[-1].key == stage.outsider.key
    assert len(stage.chain.data(stage.thread.address)) == thread_size(64)
