"""Ends of messages and payouts: what is prepared costs what was told, and nothing is sent that would do nothing."""

from __future__ import annotations

import pytest

from chorale.domain.commands import (
    CancelMessage,
    ClaimEscrow,
    Command,
    Divest,
    FeeOptions,
    PreparedTransaction,
    RefundStake,
    ResolveMessage,
    SweepThread,
)
from chorale.domain.updates import Outcome, Refusal
from programs import instructions
from programs.transactions import decode_transaction
from tests.spine.desk import Desk
from tests.spine.parts import Actor
from tests.spine.test_payout_destinations import denied, signed_by
from tests.spine.test_state_update_refusals import nothing_changed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def lamports(desk: Desk, actor: Actor) -> int:
    """What a wallet holds."""
    account = (await desk.parts.chain.accounts([actor.key])).accounts[0]
    return 0 if account is None else account.lamports


async def test_each_costs_exactly_what_was_told(desk: Desk) -> None:
    """Fee and rent, to the lamport; the payer alone signs where nobody else must."""
    ana, ben, eve = [Actor(desk.running, await desk.running.wallet()) for _ in range(3)]
    prepare = desk.preparer

    async def run(command: type[Command], payer: Actor, answer: PreparedTransaction | Refusal) -> None:
        assert isinstance(answer, PreparedTransaction), answer
        transaction = decode_transaction(answer.transaction, desk.running.program_id)
        assert transaction.signers == (payer.key,)
        assert answer.fee_lamports == 5_000
        held = await lamports(desk, payer)
        result = await desk.run(command(signed_transaction=signed_by(answer, payer)))
        assert result.update.outcome is Outcome.VERIFIED
        assert await lamports(desk, payer) == held - answer.fee_lamports - answer.rent_lamports

    thread_id = (await desk.create(ana)).content.key.thread_id
    joins = await desk.submit(ben, thread_id, "I join")
    await desk.run(await desk.ballot(ana, thread_id, joins.hash, approve=True))
    gone = (await desk.submit(eve, thread_id, "Never mind")).hash
    await run(CancelMessage, eve, await prepare.cancel_message(eve.key, gone))
    await run(RefundStake, eve, await prepare.refund_stake(eve.key, gone))
    split = (await desk.submit(eve, thread_id, "Split")).hash
    for voter in (ana, ben):
        await desk.run(await desk.ballot(voter, thread_id, split, approve=voter is ana))
    await run(SweepThread, eve, await prepare.sweep_thread(eve.key, thread_id))
    waits = (await desk.submit(eve, thread_id, "Wait")).hash
    await desk.run(await desk.ballot(ana, thread_id, waits, approve=False))
    await run(Divest, ben, await prepare.divest(ben.key, thread_id))
    await run(ResolveMessage, eve, await prepare.resolve_message(eve.key, waits))
    await run(ClaimEscrow, ana, await prepare.claim_escrow(ana.key, waits))


async def test_an_evaluation_that_decides_nothing_is_not_sent(desk: Desk, ana: Actor, ben: Actor) -> None:
    """The program would take it and the fee be lost. One that has landed all the same is answered: still pending."""
    thread_id = (await desk.create(ana)).content.key.thread_id
    pending = (await desk.submit(ben, thread_id, "Nobody has voted")).hash
    told = await desk.preparer.resolve_message(ben.key, pending)
    assert isinstance(told, Refusal)
    assert (told.problem, told.code, told.retryable) == ("NotAllowedNow", "NOTHING_TO_DECIDE", True)
    part = instructions.resolve(desk.running.addresses, payer=ben.key, thread_id=thread_id, content_hash=pending)
    raw = await desk.running.sign([part], [ben.keypair])
    async with nothing_changed(desk):
        refusal = await desk.refused(ResolveMessage(signed_transaction=raw))
        assert (refusal.problem, refusal.code) == ("NotAllowedNow", "NOTHING_TO_DECIDE")
    await desk.running.send_raw(raw)
    result = await desk.run(ResolveMessage(signed_transaction=raw))
    assert result.update.outcome is Outcome.VERIFIED
    assert result.message is not None
    assert result.message.status.value == "PENDING"
    assert result.thread is not None
    assert result.thread.sequence == result.message.sequence


async def test_arguments_are_refused_by_name(desk: Desk, ana: Actor, ben: Actor) -> None:
    """Whatever is no key, hash or amount, before anything is read."""
    of = await denied(desk, ana, ben)
    prepare = desk.preparer
    by_message = (
        prepare.cancel_message,
        prepare.expire_message,
        prepare.resolve_message,
        prepare.claim_escrow,
        prepare.refund_stake,
    )
    answers = []
    for method in by_message:
        answers += [
            (await method("no key", of[1]), "wallet"),
            (await method(ana.key, "no hash"), "contentHash"),
            (await method(ana.key, of[1], FeeOptions(fee_payer="x")), "feePayer"),
        ]
    for again in (prepare.divest, prepare.sweep_thread):
        answers += [(await again("no key", of[0]), "wallet"), (await again(ana.key, "no hash"), "threadId")]
    answers += [
        (await prepare.divest(ana.key, of[0], 2**64), "minPayout"),
        (await prepare.divest(ana.key, of[0], -1), "minPayout"),
        (
            await prepare.claim_escrow(ana.key, of[1], FeeOptions(priority_fee_micro_lamports=-1)),
            "priorityFeeMicroLamports",
        ),
    ]
    for answer, field in answers:
        assert isinstance(answer, Refusal), answer
        assert (answer.problem, answer.field) == ("InvalidInput", field)


async def test_a_payer_who_has_too_little_is_told(desk: Desk, ben: Actor) -> None:
    """The rent of a missing token account counts."""
    dan = Actor(desk.running, await desk.running.wallet(tokens=0))
    of = await denied(desk, dan, ben)
    poor = Actor(desk.running, await desk.running.wallet(lamports=2_000_000, tokens=0))
    answer = await desk.preparer.claim_escrow(dan.key, of[1], FeeOptions(fee_payer=poor.key))
    assert isinstance(answer, Refusal)
    assert answer.problem == "InsufficientFunds"
