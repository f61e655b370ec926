"""A payout that cannot be made now is tried again later and keeps nobody else from theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.pubkey import Pubkey

from chorale.keeping.pauses import Pauses
from programs.associated import create_associated_account
from tests.chains import MINIMUM_STAKE
from tests.keeper.field import LIMITS, Field, counted, done
from tests.spine.parts import Actor


async def emptied(land: Field, author: Actor) -> None:
    """The author's token account is closed."""
    from solders.instruction import AccountMeta, Instruction

    from programs.addresses import TOKEN_PROGRAM

    tokens, owner = Pubkey.from_string(author.tokens), author.keypair.pubkey()
    sink = Pubkey.from_string((await land.actor()).tokens)
    amount = await land.tokens(author)
    program = Pubkey.from_string(TOKEN_PROGRAM)
    moved = [AccountMeta(tokens, False, True), AccountMeta(sink, False, True), AccountMeta(owner, True, False)]
    closed = [AccountMeta(tokens, False, True), AccountMeta(owner, False, True), AccountMeta(owner, True, False)]
    await author.send(
        Instruction(program, b"\x03" + amount.to_bytes(8, "little"), moved), Instruction(program, b"\x09", closed)
    )


async def test_a_missing_token_account_is_skipped_for_no_fee(land: Field) -> None:
    """Ben is refunded, Cleo is not until she has an account again; she is skipped, counted, and costs nothing."""
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana)
    for author in (cleo, ben):
        content_hash = await land.submit(author, thread_id)
        await land.cancel(author, thread_id, content_hash)
    await emptied(land, cleo)
    async with land.keeper(limits=replace(LIMITS, keeper_first_pause=0.0)) as keeper:
        await keeper.one_pass()
        assert done(keeper) == {"refund": 1}
        assert counted(keeper, "skipped") == [0, 0, 1, 0]
        assert len(await land.paid_by(keeper)) == 1
        await keeper.one_pass()
        assert counted(keeper, "skipped") == [0, 0, 2, 0]
        assert len(await land.paid_by(keeper)) == 1
        await cleo.send(create_associated_account(payer=cleo.key, owner=cleo.key, mint=land.running.mint))
        await keeper.one_pass()
        assert done(keeper) == {"refund": 2}
    assert await land.tokens(cleo) == MINIMUM_STAKE


async def test_what_is_blocked_waits_longer_each_time_and_is_not_even_read(land: Field) -> None:
    """With a pause, the next pass leaves it alone and does what has come due since."""
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana)
    await land.cancel(cleo, thread_id, await land.submit(cleo, thread_id))
    await emptied(land, cleo)
    async with land.keeper() as keeper:
        await keeper.one_pass()
        await land.cancel(ben, thread_id, await land.submit(ben, thread_id))
        survey = await keeper.one_pass()
        assert [candidate.duty.value for candidate in survey.found] == ["refund"]
        assert done(keeper) == {"refund": 1}
        assert counted(keeper, "skipped") == [0, 0, 1, 0]


async def test_many_blocked_payouts_do_not_fill_the_batch(land: Field) -> None:
    """Of five refunds two at a time are taken; the three that cannot be paid make room for those that can."""
    ana, ben, cleo = [await land.actor() for _ in range(3)]
    thread_id = await land.thread(ana)
    for author in (cleo, cleo, cleo, ben, ben):
        await land.cancel(author, thread_id, await land.submit(author, thread_id))
    await emptied(land, cleo)
    async with land.keeper(limits=replace(LIMITS, keeper_batch=2)) as keeper:
        surveys = [await keeper.one_pass() for _ in range(4)]
        assert done(keeper) == {"refund": 2}
        assert [survey.more for survey in surveys] == [True, True, False, False]


def test_pauses_double_up_to_the_longest() -> None:
    pauses = Pauses("keeper", grace=0, spread=0, first=10, longest=35)
    assert pauses.ready("a", 0)
    assert [pauses.failed("a", 0) for _ in range(4)] == [10, 20, 35, 35]
    assert not pauses.ready("a", 34.9)
    assert pauses.next_turn(0) == 35
    assert pauses.ready("a", 35)


def test_what_is_no_longer_due_is_forgotten() -> None:
    """A pause ends with the look that does not find the work any more; should it come again, it is new."""
    pauses = Pauses("keeper", grace=5, spread=0, first=10, longest=100)
    assert not pauses.ready("a", 0)
    pauses.looked()
    assert pauses.ready("a", 5)
    pauses.failed("a", 5)
    pauses.looked()
    pauses.looked()
    assert not pauses.ready("a", 6)
    assert pauses.ready("a", 11)


def test_memory_is_bounded_and_what_is_beyond_does_not_wait_for_ever() -> None:
    pauses = Pauses("keeper", grace=5, spread=0, first=10, longest=100, most=2)
    assert [pauses.ready(key, 0) for key in "abc"] == [False, False, True]
    assert pauses.failed("c", 0) == 10
    assert [pauses.ready(key, 5) for key in "abc"] == [True, True, True]


def test_keepers_reach_for_the_same_work_at_different_times() -> None:
    """The part of the spread depends on keeper and work, evenly."""
    waits = []
    for name in ("one", "two"):
        pauses = Pauses(name, grace=10, spread=10, first=1, longest=1)
        for number in range(200):
            pauses.ready(str(number), 0)
        waits.append([turn.at for turn in pauses._turns.values()])
    assert all(10 <= wait < 20 for some in waits for wait in some)
    apart = [abs(one - two) for one, two in zip(*waits, strict=True)]
    assert sum(apart) / len(apart) == pytest.approx(10 / 3, abs=0.6)
