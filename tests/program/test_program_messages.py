"""Creating threads, posting and submitting: what is written, who may, and what is refused without a trace."""

from __future__ import annotations

import pytest

from chorale.domain.accounts import NO_LEAF
from chorale.domain.approval import MessageStatus
from chorale.domain.program_errors import ProgramError
from programs import identity, merkle
from programs.accounts import message_size, thread_size
from tests.program.harness import MINIMUM_STAKE, START, TOKENS, WINDOW
from tests.program.stage import STAKE, Stage, body_hash


@pytest.fixture
def stage() -> Stage:
    """A thread with its creator as the only co-author."""
    return Stage()


def test_create_thread_seats_its_creator(stage: Stage) -> None:
    """The creator is co-author number one of an empty thread with a vault of its own."""
    thread = stage.thread
    assert (thread.creator, thread.nonce, thread.created_at) == (stage.creator.key, 0, START)
    assert [(c.key, c.joined_sequence) for c in thread.co_authors] == [(stage.creator.key, 1)]
    assert (thread.sequence, thread.activity_sequence, thread.activity_at) == (1, 1, START)
    assert (thread.content_root, thread.published_count) == (merkle.EMPTY[20], 0)
    vault = stage.chain.data(stage.vault)
    assert (len(vault), stage.chain.balance(stage.vault)) == (165, 0)
    assert len(stage.chain.data(thread.address)) == thread_size(1)


def test_create_thread_emits_one_event(stage: Stage) -> None:
    """ThreadCreated, numbered 0 in sequence 1."""
    result = stage.must(stage.create_instruction(nonce=1), stage.creator)
    assert [(e.name, e.sequence, e.ordinal) for e in result.events] == [("ThreadCreated", 1, 0)]


def test_create_thread_is_the_creators_and_only_once(stage: Stage) -> None:
    """It needs the creator's signature and the sponsor's, and an identity is taken once."""
    stage.refused_without("creator", stage.create_instruction(nonce=1), stage.creator)
    stage.refused(ProgramError.INVALID_ACCOUNT, stage.create_instruction(nonce=0), stage.creator)


@pytest.mark.parametrize("lamports", [1, 10_000_000_000])
def test_lamports_sent_ahead_do_not_spoil_creation(stage: Stage, lamports: int) -> None:
    """Thread, vault and message are made although somebody paid into their addresses first."""
    thread = stage.program.thread(identity.thread_id(stage.creator.key, 9))
    content_hash = identity.content_hash(stage.thread_id, stage.creator.key, 9, body_hash(9))
    message = stage.program.message(stage.program.thread(stage.thread_id), content_hash)
    for address in (thread, stage.program.vault(thread), message):
        stage.chain.put_account(address, "11111111111111111111111111111111", b"", lamports)
    stage.must(stage.create_instruction(nonce=9), stage.creator)
    stage.must(stage.post_instruction(stage.creator, 9), stage.creator)
    rent = stage.chain.svm.minimum_balance_for_rent_exemption(thread_size(1))
    account = stage.chain.account(thread)
    assert account is not None
    assert account.lamports == max(rent, lamports)


def test_post_publishes_at_once(stage: Stage) -> None:
    """Published with a leaf, without a stake, a window or room for votes."""
    stage.chain.advance(5)
    result = stage.must(stage.post_instruction(stage.creator, 3), stage.creator)
    content_hash = identity.content_hash(stage.thread_id, stage.creator.key, 3, body_hash(3))
    message, thread = stage.message(content_hash), stage.thread
    assert (message.status, message.leaf_index, message.stake) == (MessageStatus.PUBLISHED, 0, 0)
    assert (message.submitted_at, message.decided_at, message.expires_at) == (START + 5, START + 5, 0)
    assert (message.submitted_sequence, message.sequence, thread.sequence) == (2, 2, 2)
    assert (thread.message_count, thread.published_count, thread.pending_count) == (1, 1, 0)
    assert thread.content_root == merkle.root_of([content_hash])
    assert len(stage.chain.data(message.address)) == message_size(0)
    assert [(e.name, e.ordinal, e.fields["leaf_index"]) for e in result.events] == [("MessagePosted", 0, 0)]


def test_post_is_for_co_authors(stage: Stage) -> None:
    """Outsiders and unsigned requests are refused, and so is the same message twice."""
    stage.refused(ProgramError.NOT_A_CO_AUTHOR, stage.post_instruction(stage.outsider, 0), stage.outsider)
    stage.refused_without("author", stage.post_instruction(stage.creator, 0), stage.creator)
    stage.must(stage.post_instruction(stage.creator, 0), stage.creator)
    stage.refused(ProgramError.INVALID_ACCOUNT, stage.post_instruction(stage.creator, 0), stage.creator)


def test_submit_takes_the_stake(stage: Stage) -> None:
    """Pending until now + window, the stake in the vault, room for one vote and rent for one seat."""
    result = stage.must(stage.submit_instruction(stage.outsider, 0, stake=2_500), stage.outsider)
    content_hash = identity.content_hash(stage.thread_id, stage.outsider.key, 0, body_hash(0))
    message, thread = stage.message(content_hash), stage.thread
    assert (message.status, message.stake, message.leaf_index) == (MessageStatus.PENDING, 2_500, NO_LEAF)
    assert (message.submitted_at, message.expires_at, message.decided_at) == (START, START + WINDOW, 0)
    assert (thread.stakes_total, thread.pending_count, thread.message_count) == (2_500, 1, 1)
    assert stage.chain.balance(stage.vault) == 2_500
    assert stage.chain.balance(stage.outsider.tokens) == TOKENS - 2_500
    account = stage.chain.account(message.address)
    assert account is not None
    assert len(account.data) == message_size(1)
    assert account.lamports == stage.chain.svm.minimum_balance_for_rent_exemption(message_size(1) + 40)
    assert [(e.name, e.fields["stake"], e.fields["expires_at"]) for e in result.events] == [
        ("MessageSubmitted", 2_500, START + WINDOW)
    ]


def test_submit_is_for_outsiders_who_sign(stage: Stage) -> None:
    """Not for co-authors, and not on somebody else's behalf."""
    stage.refused(ProgramError.ALREADY_A_CO_AUTHOR, stage.submit_instruction(stage.creator, 0), stage.creator)
    stage.refused_without("author", stage.submit_instruction(stage.outsider, 0), stage.outsider)


def test_submit_needs_the_minimum_and_the_promised_expiry(stage: Stage) -> None:
    """A stake below the minimum and a window beyond what was signed for are refused."""
    short = stage.submit_instruction(stage.outsider, 0, stake=MINIMUM_STAKE - 1)
    stage.refused(ProgramError.STAKE_TOO_LOW, short, stage.outsider)
    late = stage.submit_instruction(stage.outsider, 0, max_expires_at=START + WINDOW - 1)
    stage.refused(ProgramError.EXPIRES_TOO_LATE, late, stage.outsider)
    stage.must(stage.submit_instruction(stage.outsider, 0, max_expires_at=START + WINDOW), stage.outsider)


def test_submit_takes_only_the_authors_own_tokens(stage: Stage) -> None:
    """Delegated, foreign and other mints' accounts are refused; a short balance is the token program's refusal."""
    chain, author = stage.chain, stage.outsider
    delegated = chain.put_token_account(chain.wallet().tokens, chain.wallet().key, TOKENS, delegate=author.key)
    stage.refused(ProgramError.UNAUTHORIZED, stage.submit_instruction(author, 0, source=delegated), author)
    stage.refused(ProgramError.UNAUTHORIZED, stage.submit_instruction(author, 0, source=stage.vault), author)
    other = chain.put_token_account(chain.wallet().tokens, author.key, TOKENS, mint=chain.make_mint())
    stage.refused(ProgramError.INVALID_ACCOUNT, stage.submit_instruction(author, 0, source=other), author)
    stage.refused(ProgramError.INVALID_ACCOUNT, stage.submit_instruction(author, 0, source=author.key), author)
    poor = stage.send(stage.submit_instruction(author, 0, stake=TOKENS + 1), author)
    assert poor.error == {"InstructionError": [0, {"Custom": 1}]}
    assert chain.balance(author.tokens) == TOKENS


def test_submit_to_a_full_thread_is_refused(stage: Stage) -> None:
    """With 64 co-authors there is no seat to apply for."""
    stage.crowd(64)
    stage.refused(ProgramError.THREAD_FULL, stage.submit_instruction(stage.outsider, 0), stage.outsider)


def test_unasked_deposits_change_no_rule(stage: Stage) -> None:
    """Tokens sent straight to the vault are nobody's balance."""
    stage.chain.put_token_account(stage.vault, stage.program.thread(stage.thread_id), 123)
    stage.submit(stage.outsider)
    assert (stage.thread.token_balance, stage.thread.stakes_total) == (0, STAKE)
    assert stage.chain.balance(stage.vault) == 123 + STAKE
