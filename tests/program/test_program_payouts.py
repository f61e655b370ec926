"""Expiry, cancelling, refunds and claims: what is owed is paid once, to the right hands, by anybody."""

from __future__ import annotations

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.program_errors import ProgramError
from tests.program.harness import START, TOKENS, WINDOW, Harness
from tests.program.stage import STAKE, Stage


@pytest.fixture
def stage() -> Stage:
    """A thread with its creator as the only co-author."""
    return Stage()


def test_expire_ends_what_was_not_decided(stage: Stage) -> None:
    """From expires_at on, whatever votes there are; the stake is set aside for the author."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(second, content_hash, approve=False)
    stage.chain.set_time(START + WINDOW - 1)
    stage.refused(ProgramError.WINDOW_OPEN, stage.expire_instruction(content_hash))
    stage.chain.set_time(START + WINDOW)
    result = stage.must(stage.expire_instruction(content_hash))
    message, thread = stage.message(content_hash), stage.thread
    assert (message.status, message.escrow_remaining, message.decided_at) == (
        MessageStatus.EXPIRED,
        STAKE,
        START + WINDOW,
    )
    assert (thread.stakes_total, thread.escrow_total, thread.pending_count) == (0, STAKE, 0)
    assert message.sequence == thread.sequence == thread.activity_sequence
    assert [e.name for e in result.events] == ["MessageExpired"]
    stage.refused(ProgramError.NOT_PENDING, stage.expire_instruction(content_hash))


def test_cancel_takes_a_message_back(stage: Stage) -> None:
    """By its author, before the first vote, while it is open."""
    content_hash = stage.submit(stage.outsider)
    stage.refused_without("author", stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    stage.refused(ProgramError.UNAUTHORIZED, stage.cancel_instruction(stage.creator, content_hash), stage.creator)
    result = stage.must(stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    assert stage.message(content_hash).status is MessageStatus.CANCELLED
    assert (stage.thread.stakes_total, stage.thread.escrow_total) == (0, STAKE)
    assert [e.name for e in result.events] == ["MessageCancelled"]
    stage.refused(ProgramError.NOT_PENDING, stage.vote_instruction(stage.creator, content_hash), stage.creator)


def test_cancel_comes_too_late_after_a_vote_or_the_window(stage: Stage) -> None:
    """HasVotes, WindowClosed."""
    stage.join()
    voted, slow = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.vote(stage.creator, voted)
    stage.refused(ProgramError.HAS_VOTES, stage.cancel_instruction(stage.outsider, voted), stage.outsider)
    stage.chain.set_time(START + WINDOW)
    stage.refused(ProgramError.WINDOW_CLOSED, stage.cancel_instruction(stage.outsider, slow), stage.outsider)


def test_anybody_can_have_the_author_refunded(stage: Stage) -> None:
    """Without a signature of theirs, into their associated account, once."""
    content_hash = stage.submit(stage.outsider)
    stage.refused(ProgramError.NOTHING_OWED, stage.refund_instruction(stage.outsider, content_hash))
    stage.must(stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    activity = stage.thread.activity_sequence
    result = stage.must(stage.refund_instruction(stage.outsider, content_hash))
    assert stage.chain.balance(stage.outsider.tokens) == TOKENS
    assert (stage.chain.balance(stage.vault), stage.thread.escrow_total) == (0, 0)
    assert stage.message(content_hash).escrow_remaining == 0
    assert stage.message(content_hash).sequence == stage.thread.sequence
    assert stage.thread.activity_sequence == activity
    assert [(e.name, e.fields["amount"]) for e in result.events] == [("StakeRefunded", STAKE)]
    stage.refused(ProgramError.NOTHING_OWED, stage.refund_instruction(stage.outsider, content_hash))


def test_a_published_stake_is_not_refunded(stage: Stage) -> None:
    """Nor one that was split or denied."""
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash)
    stage.refused(ProgramError.NOTHING_OWED, stage.refund_instruction(stage.outsider, content_hash))
    denied = stage.submit(stage.chain.wallet())
    stage.vote(stage.creator, denied, approve=False)
    stage.vote(stage.outsider, denied, approve=False)
    author = stage.message(denied).author
    assert author not in (stage.creator.key, stage.outsider.key)
    stage.refused(ProgramError.UNAUTHORIZED, stage.refund_instruction(stage.creator, denied))


def test_deniers_claim_their_shares(stage: Stage) -> None:
    """Each once, also after leaving; approvers of nothing and outsiders have none."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash, approve=False)
    stage.refused(ProgramError.NOTHING_OWED, stage.claim_instruction(stage.creator, content_hash))
    stage.vote(second, content_hash, approve=False)
    stage.must(stage.divest_instruction(second), second)
    before = stage.chain.balance(second.tokens)
    result = stage.must(stage.claim_instruction(second, content_hash))
    assert stage.chain.balance(second.tokens) == before + STAKE // 2
    assert [(e.name, e.fields["voter"], e.fields["amount"]) for e in result.events] == [
        ("EscrowClaimed", second.key, STAKE // 2)
    ]
    assert [(v.voter, v.claimed) for v in stage.message(content_hash).votes] == [
        (stage.creator.key, False),
        (second.key, True),
    ]
    stage.refused(ProgramError.ALREADY_CLAIMED, stage.claim_instruction(second, content_hash))
    stage.refused(ProgramError.NOT_A_DENIER, stage.claim_instruction(stage.outsider, content_hash))
    stage.must(stage.claim_instruction(stage.creator, content_hash))
    assert (stage.message(content_hash).escrow_remaining, stage.thread.escrow_total) == (0, 0)


def test_a_share_of_nothing_is_not_owed() -> None:
    """A stake smaller than the number of deniers goes to the treasury whole."""
    stage = Stage(Harness(minimum_stake=1))
    second = stage.join()
    content_hash = stage.submit(stage.outsider, stake=1)
    stage.vote(stage.creator, content_hash, approve=False)
    stage.vote(second, content_hash, approve=False)
    assert (stage.message(content_hash).share, stage.thread.treasury_due) == (0, 1)
    stage.refused(ProgramError.NOTHING_OWED, stage.claim_instruction(second, content_hash))


def test_only_the_payee_may_name_another_account(stage: Stage) -> None:
    """Unsigned, only the associated account is paid; signed, any account that the payee holds."""
    content_hash = stage.submit(stage.outsider)
    stage.must(stage.cancel_instruction(stage.outsider, content_hash), stage.outsider)
    other = stage.chain.put_token_account(stage.chain.wallet().tokens, stage.outsider.key, 0)
    unsigned = stage.refund_instruction(stage.outsider, content_hash, to=other)
    stage.refused(ProgramError.INVALID_DESTINATION, unsigned)
    stage.must(stage.refund_instruction(stage.outsider, content_hash, to=other, signs=True), stage.outsider)
    assert stage.chain.balance(other) == STAKE


@pytest.mark.parametrize("kind", ["vault", "treasury", "stranger", "mint", "wallet", "absent"])
def test_payouts_reach_nobody_else(stage: Stage, kind: str) -> None:
    """Vaults, the treasury, others' accounts, other mints and what is no token account, even with a signature."""
    chain, payee = stage.chain, stage.outsider
    content_hash = stage.submit(payee)
    stage.must(stage.cancel_instruction(payee, content_hash), payee)
    destination = {
        "vault": stage.vault,
        "treasury": stage.program.treasury(),
        "stranger": chain.wallet().tokens,
        "mint": chain.put_token_account(chain.wallet().tokens, payee.key, 0, mint=chain.make_mint()),
        "wallet": payee.key,
        "absent": chain.program.associated_token_account(payee.key, chain.make_mint()),
    }[kind]
    refund = stage.refund_instruction(payee, content_hash, to=destination, signs=True)
    stage.refused(ProgramError.INVALID_DESTINATION, refund, payee)


def test_a_frozen_account_delays_one_payout_only(stage: Stage) -> None:
    """The other denier is paid, and the frozen one is once thawed."""
    second = stage.join()
    content_hash = stage.submit(stage.outsider)
    stage.vote(stage.creator, content_hash, approve=False)
    stage.vote(second, content_hash, approve=False)
    held = stage.chain.balance(second.tokens)
    stage.chain.put_token_account(second.tokens, second.key, held, frozen=True)
    assert not stage.send(stage.claim_instruction(second, content_hash)).ok
    stage.must(stage.claim_instruction(stage.creator, content_hash))
    stage.chain.put_token_account(second.tokens, second.key, held)
    stage.must(stage.claim_instruction(second, content_hash))
    assert stage.chain.balance(second.tokens) == held + STAKE // 2
