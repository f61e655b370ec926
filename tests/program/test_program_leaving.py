"""Leaving with a share, and sweeping what belongs to the treasury."""

from __future__ import annotations

import pytest

from chorale.domain.program_errors import ProgramError
from programs.accounts import thread_size
from tests.program.harness import TOKENS
from tests.program.stage import STAKE, Stage


@pytest.fixture
def stage() -> Stage:
    """A thread with its creator as the only co-author."""
    return Stage()


def test_divest_pays_an_equal_share(stage: Stage) -> None:
    """Rounded down; the order of the others is kept, and the freed bytes are zero."""
    second = stage.join()
    third = stage.join(stage.creator, second)
    balance = stage.thread.token_balance
    assert balance == 2 * STAKE
    result = stage.must(stage.divest_instruction(second, min_payout=balance // 3), second)
    thread = stage.thread
    assert stage.chain.balance(second.tokens) == TOKENS - STAKE + balance // 3
    assert [c.key for c in thread.co_authors] == [stage.creator.key, third.key]
    assert thread.token_balance == balance - balance // 3 == stage.chain.balance(stage.vault)
    data = stage.chain.data(thread.address)
    assert len(data) == thread_size(3)
    assert data[thread_size(2) :] == bytes(40)
    assert [(e.name, e.fields["key"], e.fields["amount"]) for e in result.events] == [
        ("CoAuthorLeft", second.key, balance // 3)
    ]
    stage.refused(ProgramError.NOT_A_CO_AUTHOR, stage.divest_instruction(second), second)


def test_divest_needs_the_leavers_signature_and_price(stage: Stage) -> None:
    """Nobody is thrown out, and nobody leaves for less than they asked."""
    second = stage.join()
    stage.refused_without("co_author", stage.divest_instruction(second), second)
    stage.refused(ProgramError.NOT_A_CO_AUTHOR, stage.divest_instruction(stage.outsider), stage.outsider)
    too_much = stage.divest_instruction(second, min_payout=STAKE // 2 + 1)
    stage.refused(ProgramError.PAYOUT_TOO_LOW, too_much, second)
    elsewhere = stage.divest_instruction(second, to=stage.outsider.tokens)
    stage.refused(ProgramError.INVALID_DESTINATION, elsewhere, second)


def test_the_last_co_author_takes_all_and_stays(stage: Stage) -> None:
    """A thread is never without a co-author."""
    second = stage.join()
    stage.must(stage.divest_instruction(second), second)
    rest = stage.thread.token_balance
    stage.must(stage.divest_instruction(stage.creator, min_payout=rest), stage.creator)
    assert stage.thread.token_balance == 0
    assert [c.key for c in stage.thread.co_authors] == [stage.creator.key]
    assert stage.chain.balance(stage.creator.tokens) == TOKENS + rest


def test_the_first_of_many_can_leave(stage: Stage) -> None:
    """With 64 seats all others move up."""
    wallets = stage.crowd(64)
    stage.must(stage.divest_instruction(wallets[0]), wallets[0])
    assert [c.key for c in stage.thread.co_authors] == [w.key for w in wallets[1:]]
    assert stage.chain.data(stage.thread.address)[thread_size(63) :] == bytes(40)


def test_who_left_can_come_back_into_the_room_left(stage: Stage) -> None:
    """The seat's bytes are used again; the lamports that came with the message stay with the thread."""
    second = stage.join()
    stage.must(stage.divest_instruction(second), second)
    content_hash = stage.submit(second)
    stage.vote(stage.creator, content_hash)
    assert [c.key for c in stage.thread.co_authors] == [stage.creator.key, second.key]
    account = stage.chain.account(stage.thread.address)
    assert account is not None
    assert len(account.data) == thread_size(2)
    third = stage.join(stage.creator, second)
    assert stage.thread.co_authors[-1].key == third.key


def test_sweep_takes_what_is_due_and_unasked_deposits(stage: Stage) -> None:
    """A split stake and a stray deposit go to the treasury; stakes, escrow and balance stay."""
    second = stage.join()
    split, pending = stage.submit(stage.outsider), stage.submit(stage.outsider)
    stage.refused(ProgramError.NOTHING_OWED, stage.sweep_instruction())
    stage.vote(stage.creator, split)
    stage.vote(second, split, approve=False)
    held = stage.chain.balance(stage.vault)
    stage.chain.put_token_account(stage.vault, stage.program.thread(stage.thread_id), held + 77)
    result = stage.must(stage.sweep_instruction())
    assert [(e.name, e.fields["amount"]) for e in result.events] == [("Swept", STAKE + 77)]
    assert stage.chain.balance(stage.program.treasury()) == STAKE + 77
    thread = stage.thread
    assert thread.treasury_due == 0
    assert thread.token_balance + thread.stakes_total + thread.escrow_total == stage.chain.balance(stage.vault)
    assert stage.message(pending).stake == thread.stakes_total
    stage.refused(ProgramError.NOTHING_OWED, stage.sweep_instruction())
