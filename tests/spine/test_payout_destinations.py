"""Where payouts go: the payee's associated account, made along where it is missing, and nothing foreign beside that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import Transaction

from chorale.domain.chain import AccountData
from chorale.domain.commands import CastVote, ClaimEscrow, Divest, FeeOptions, PreparedTransaction, UpdateResult
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Outcome, Refusal, RefusedError
from chorale.preparation.destinations import is_missing
from programs import instructions
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.associated import create_associated_account
from tests.chains import MINIMUM_STAKE
from tests.spine.desk import Desk
from tests.spine.parts import Actor
from tests.spine.test_state_update_refusals import nothing_changed

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = Pubkey.from_string(TOKEN_PROGRAM)


async def denied(desk: Desk, denier: Actor, author: Actor) -> tuple[str, str]:
    """A thread of `denier` with a denied message: thread id and content hash."""
    thread_id = (await desk.create(denier)).content.key.thread_id
    pending = await desk.submit(author, thread_id, "Deny me")
    await desk.run(await desk.ballot(denier, thread_id, pending.hash, approve=False))
    return thread_id, pending.hash


def claim(payee: Actor, of: tuple[str, str], destination: str | None = None, *, signs: bool = False) -> Instruction:
    """A payout of `payee`'s share."""
    return instructions.claim(
        payee.running.addresses,
        payee=payee.key,
        destination=destination or payee.tokens,
        thread_id=of[0],
        content_hash=of[1],
        payee_signs=signs,
    )


def making(payer: Actor, owner: Actor, mint: str | None = None) -> Instruction:
    """The associated account of `owner`."""
    return create_associated_account(payer=payer.key, owner=owner.key, mint=mint or owner.running.mint)


async def test_an_account_that_was_closed_is_made_again(desk: Desk, ben: Actor) -> None:
    """The compute limit is enough, and what was told is what it costs."""
    dan = Actor(desk.running, await desk.running.wallet(tokens=0))
    of = await denied(desk, dan, ben)
    answer = await desk.preparer.claim_escrow(dan.key, of[1])
    assert isinstance(answer, PreparedTransaction), answer
    before = (await desk.parts.chain.accounts([dan.key])).accounts[0]
    result = await desk.run(ClaimEscrow(signed_transaction=signed_by(answer, dan)))
    after, tokens = (await desk.parts.chain.accounts([dan.key, dan.tokens])).accounts
    assert before is not None
    assert after is not None
    assert tokens is not None
    assert result.update.outcome is Outcome.VERIFIED
    assert before.lamports - after.lamports == answer.fee_lamports + answer.rent_lamports
    assert int.from_bytes(tokens.data[64:72], "little") == MINIMUM_STAKE
    units = await used(desk, result)
    assert units < answer.compute_unit_limit / 2, units

    # Emptied and closed; a share of the thread that is 0 still needs it.
    spend = Instruction(
        TOKEN,
        b"\x03" + MINIMUM_STAKE.to_bytes(8, "little"),
        [AccountMeta(key(dan.tokens), False, True), AccountMeta(key(ben.tokens), False, True), own(dan)],
    )
    close = Instruction(
        TOKEN, b"\x09", [AccountMeta(key(dan.tokens), False, True), AccountMeta(key(dan.key), False, True), own(dan)]
    )
    await dan.send(spend, close)
    leaving = await desk.preparer.divest(dan.key, of[0])
    assert isinstance(leaving, PreparedTransaction), leaving
    assert leaving.rent_lamports == answer.rent_lamports
    left = await desk.run(Divest(signed_transaction=signed_by(leaving, dan)))
    assert left.update.outcome is Outcome.VERIFIED


async def test_only_the_payees_own_account_may_be_made(desk: Desk, ana: Actor, ben: Actor) -> None:
    """Another owner's, another mint's, two of them, another instruction of that program, or beside a vote: refused."""
    of = await denied(desk, ana, ben)
    payout, right = claim(ana, of), making(ben, ana)
    funded = Actor(desk.running, await desk.running.wallet())
    plain = Instruction(right.program_id, b"", list(right.accounts))
    longer = Instruction(right.program_id, b"\x01\x00", list(right.accounts))
    nested = Instruction(right.program_id, b"\x02", list(right.accounts))
    shuffled = Instruction(right.program_id, b"\x01", [*list(right.accounts)[:4], *reversed(list(right.accounts)[4:])])
    fewer = Instruction(right.program_id, b"\x01", list(right.accounts)[:5])
    moved = Instruction(
        right.program_id,
        b"\x01",
        [right.accounts[0], AccountMeta(key(funded.tokens), False, True), *list(right.accounts)[2:]],
    )
    wrong = (
        [making(ben, funded), payout],
        [making(ben, ana, str(Pubkey.new_unique())), payout],
        [right, right, payout],
        *([part, payout] for part in (plain, longer, nested, shuffled, fewer, moved)),
    )
    desk.actors.append(funded)
    async with nothing_changed(desk):
        for parts in wrong:
            raw = await desk.running.sign(parts, [ben.keypair])
            refusal = await desk.refused(ClaimEscrow(signed_transaction=raw))
            assert (refusal.problem, refusal.code) == ("TransactionInvalid", "FOREIGN_INSTRUCTION")
        elsewhere = claim(ana, of, funded.tokens, signs=True)
        raw = await desk.running.sign([right, elsewhere], [ben.keypair, ana.keypair])
        assert (await desk.refused(ClaimEscrow(signed_transaction=raw))).code == "FOREIGN_INSTRUCTION"
        vote = ana.vote(of[0], of[1], approve=True)
        raw = await desk.running.sign([making(ana, ana), vote], [ana.keypair])
        assert (await desk.refused(CastVote(signed_transaction=raw))).code == "FOREIGN_INSTRUCTION"
    raw = await desk.running.sign([payout, right], [ben.keypair])
    result = await desk.run(ClaimEscrow(signed_transaction=raw))
    assert result.wallet == ana.key


async def test_only_the_payee_names_another_account(desk: Desk, ana: Actor, ben: Actor) -> None:
    """A stranger who pays the fee cannot; with the payee's signature the program checks the account's holder."""
    of = await denied(desk, ana, ben)
    second = await second_account(desk, ana)
    desk.actors.append(ana)
    async with nothing_changed(desk):
        raw = await desk.running.sign([claim(ana, of, second)], [ben.keypair])
        refusal = await desk.refused(ClaimEscrow(signed_transaction=raw))
        assert (refusal.problem, refusal.program_error_code) == (
            "TransactionRejected",
            ProgramError.INVALID_DESTINATION,
        )
        raw = await desk.running.sign([claim(ana, of, ben.tokens, signs=True)], [ana.keypair])
        assert (await desk.refused(ClaimEscrow(signed_transaction=raw))).code == "INVALID_DESTINATION"
    raw = await desk.running.sign([claim(ana, of, second, signs=True)], [ana.keypair])
    await desk.run(ClaimEscrow(signed_transaction=raw))
    paid = (await desk.parts.chain.accounts([second])).accounts[0]
    assert paid is not None
    assert int.from_bytes(paid.data[64:72], "little") == MINIMUM_STAKE


async def test_an_account_that_another_holds_is_told_beforehand(desk: Desk, ben: Actor) -> None:
    """Its owner gave it away: it is there, so that it cannot be made, and cannot be paid into."""
    dan = Actor(desk.running, await desk.running.wallet())
    of = await denied(desk, dan, ben)
    given = Instruction(
        TOKEN, b"\x06\x02\x01" + bytes(ben.keypair.pubkey()), [AccountMeta(key(dan.tokens), False, True), own(dan)]
    )
    await dan.send(given)
    for answer in (await desk.preparer.claim_escrow(dan.key, of[1]), await desk.preparer.divest(dan.key, of[0])):
        assert isinstance(answer, Refusal)
        assert (answer.problem, answer.code) == ("NotAllowedNow", "INVALID_DESTINATION")


async def test_a_sponsor_pays_and_signs_alone(desk: Desk, ana: Actor, ben: Actor) -> None:
    """The payee's signature is not asked for; the fee is one signature's."""
    of = await denied(desk, ana, ben)
    answer = await desk.preparer.claim_escrow(ana.key, of[1], FeeOptions(fee_payer=ben.key))
    assert isinstance(answer, PreparedTransaction), answer
    assert (answer.fee_payer, answer.fee_lamports, answer.rent_lamports) == (ben.key, 5_000, 0)
    result = await desk.run(ClaimEscrow(signed_transaction=signed_by(answer, ben)))
    assert result.wallet == ana.key


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"owner": SYSTEM_PROGRAM, "data": b""}, "missing"),
        ({"owner": SYSTEM_PROGRAM}, "INVALID_DESTINATION"),
        ({"data": b"\x00" * 170}, "INVALID_DESTINATION"),
        ({"mint": bytes(32)}, "INVALID_DESTINATION"),
        ({"holder": bytes(32)}, "INVALID_DESTINATION"),
        ({"state": 0}, "INVALID_DESTINATION"),
        ({"state": 2}, "DESTINATION_FROZEN"),
    ],
)
async def test_what_an_account_is_good_for(change: dict[str, object], expected: str | None) -> None:
    """Lamports that somebody sent are no account yet; frozen accounts have a cure of their own."""
    payee, mint = Keypair().pubkey(), Keypair().pubkey()
    parts: dict[str, object] = {"mint": bytes(mint), "holder": bytes(payee), "state": 1} | change
    data = bytes(parts["mint"]) + bytes(parts["holder"]) + bytes(44) + bytes([parts["state"]]) + bytes(56)  # type: ignore[call-overload,list-item]
    account = AccountData("", TOKEN_PROGRAM, 1, data)
    account = replace(account, **{name: value for name, value in change.items() if name in ("owner", "data")})  # type: ignore[arg-type]
    if expected in (None, "missing"):
        assert is_missing(account, str(payee), str(mint)) is (expected == "missing")
        return
    with pytest.raises(RefusedError) as caught:
        is_missing(account, str(payee), str(mint))
    assert caught.value.refusal.code == expected


def signed_by(answer: PreparedTransaction, *actors: Actor) -> bytes:
    """What wallets do: put their signatures in."""
    transaction = Transaction.from_bytes(answer.transaction)
    transaction.sign([actor.keypair for actor in actors], transaction.message.recent_blockhash)
    return bytes(transaction)


async def second_account(desk: Desk, holder: Actor) -> str:
    """A token account of `holder` that is not the associated one: another's, handed over."""
    other = Actor(desk.running, await desk.running.wallet(tokens=1))
    spend = Instruction(
        TOKEN,
        b"\x03" + (1).to_bytes(8, "little"),
        [AccountMeta(key(other.tokens), False, True), AccountMeta(key(holder.tokens), False, True), own(other)],
    )
    give = Instruction(
        TOKEN,
        b"\x06\x02\x01" + bytes(holder.keypair.pubkey()),
        [AccountMeta(key(other.tokens), False, True), own(other)],
    )
    await other.send(spend, give)
    return other.tokens


async def used(desk: Desk, result: UpdateResult) -> int:
    """Compute units that a transaction has consumed."""
    options = {"encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found = await desk.running.rpc("getTransaction", result.update.signature, options)
    return int(found["meta"]["computeUnitsConsumed"])


def key(text: str) -> Pubkey:
    """A public key."""
    return Pubkey.from_string(text)


def own(actor: Actor) -> AccountMeta:
    """The actor as a signer."""
    return AccountMeta(actor.keypair.pubkey(), is_signer=True, is_writable=False)
