"""Every bad transaction gets its own typed answer, and changes nothing in chain, store, index or sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import AdvanceNonceAccountParams, TransferParams, advance_nonce_account, transfer
from solders.transaction import VersionedTransaction

from chorale.domain.commands import CastVote, CreateThread, PostMessage, SubmitMessage, UpdateResult
from chorale.domain.content import MAX_BODY_BYTES, MAX_TITLE_BYTES
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Outcome
from datasources.embeddings import FastEmbedder
from programs import instructions
from tests.chains import MINIMUM_STAKE, RunningChain, signed
from tests.spine.desk import Desk, open_desk
from tests.spine.parts import Actor, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

GUARD = Pubkey.from_string("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAn1qA3S95")
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


@asynccontextmanager
async def nothing_changed(desk: Desk) -> AsyncIterator[None]:
    before = await desk.picture()
    yield
    assert await desk.picture() == before


async def test_malformed_transactions(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("T")
    whole = await desk.sign(ana, draft)
    async with nothing_changed(desk):
        for raw in (b"", b"\x00", whole[:-1], whole[:70], whole + b"\x00", b"\xff" * 200, bytes(1300)):
            command = CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt)
            refusal = await desk.refused(command)
            assert (refusal.problem, refusal.code) == ("TransactionInvalid", "MALFORMED"), raw


async def test_missing_and_wrong_signatures(desk: Desk, ana: Actor, ben: Actor) -> None:
    draft = ana.thread("T")
    whole = await desk.sign(ana, draft)
    other = bytes(ben.keypair.sign_message(whole[65:]))
    async with nothing_changed(desk):
        for signature, code in ((bytes(64), "SIGNATURE_MISSING"), (other, "SIGNATURE_WRONG")):
            raw = whole[:1] + signature + whole[65:]
            refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
            assert (refusal.problem, refusal.code) == ("TransactionInvalid", code)
        # The instruction names another wallet as its author, who does not sign at all.
        metas = [
            meta if meta.pubkey != ana.keypair.pubkey() or at == 0 else AccountMeta(ben.keypair.pubkey(), False, False)
            for at, meta in enumerate(draft.instruction.accounts)
        ]
        forged = Instruction(draft.instruction.program_id, bytes(draft.instruction.data), metas)
        raw = await desk.running.sign([forged], [ana.keypair])
        refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
        assert (refusal.problem, refusal.code) == ("TransactionInvalid", "SIGNATURE_MISSING")


async def test_foreign_double_and_other_instructions(desk: Desk, ana: Actor) -> None:
    draft, second = ana.thread("T"), ana.thread("U")
    pay = transfer(TransferParams(from_pubkey=ana.keypair.pubkey(), to_pubkey=Keypair().pubkey(), lamports=10**6))
    memo = Instruction(MEMO, b"hello", [])
    async with nothing_changed(desk):
        for beside, code in (
            (pay, "FOREIGN_INSTRUCTION"),
            (memo, "FOREIGN_INSTRUCTION"),
            (second.instruction, "WRONG_INSTRUCTION"),
        ):
            raw = await desk.sign(ana, draft, beside)
            refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
            assert (refusal.problem, refusal.code) == ("TransactionInvalid", code)
        raw = await desk.sign(ana, draft)
        refusal = await desk.refused(PostMessage(signed_transaction=raw, body="T", salt=draft.content.salt))
        assert (refusal.problem, refusal.code) == ("TransactionInvalid", "WRONG_INSTRUCTION")
        refusal = await desk.refused(CastVote(signed_transaction=await desk.running.sign([memo], [ana.keypair])))
        assert refusal.code == "FOREIGN_INSTRUCTION"
        refusal = await desk.refused(CastVote(signed_transaction=await desk.running.sign([], [ana.keypair])))
        assert refusal.code == "WRONG_INSTRUCTION"


async def test_what_wallets_add_is_let_through(desk: Desk, ana: Actor) -> None:
    """Compute budget passes; the guard program is allowed beside, though this chain does not have it."""
    draft = ana.thread("T")
    parts = [set_compute_unit_price(1), draft.instruction, set_compute_unit_limit(120_000)]
    raw = await desk.running.sign(parts, [ana.keypair])
    await desk.run(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))

    guarded = ana.thread("T")
    raw = await desk.sign(ana, guarded, Instruction(GUARD, b"\x00", []))
    async with nothing_changed(desk):
        refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=guarded.content.salt))
    assert refusal.problem == "TransactionRejected"


async def test_a_versioned_transaction_is_taken(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("V0")
    latest = await desk.parts.chain.latest_blockhash()
    message = MessageV0.try_compile(ana.keypair.pubkey(), [draft.instruction], [], Hash.from_string(latest.blockhash))
    raw = bytes(VersionedTransaction(message, [ana.keypair]))
    await desk.run(CreateThread(signed_transaction=raw, title="V0", salt=draft.content.salt))


async def test_durable_nonces_are_refused(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("T")
    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=Keypair().pubkey(), authorized_pubkey=ana.keypair.pubkey())
    )
    raw = await desk.running.sign([advance, draft.instruction], [ana.keypair])
    async with nothing_changed(desk):
        refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
    assert (refusal.problem, refusal.code) == ("TransactionInvalid", "DURABLE_NONCE")


async def test_unknown_blockhashes(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("T")
    raw = signed([draft.instruction], [ana.keypair], str(Pubkey.new_unique()))
    async with nothing_changed(desk):
        refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
    assert (refusal.problem, refusal.code) == ("TransactionExpired", "BLOCKHASH_EXPIRED")


async def test_blockhashes_that_have_aged(localnet: RunningChain, embedder: FastEmbedder, tmp_path: Path) -> None:
    """Signed in time and sent too late."""
    ana = Actor(localnet, await localnet.wallet())
    async with open_parts(localnet, embedder, tmp_path) as parts, open_desk(parts, tmp_path, actors=[ana]) as desk:
        draft = ana.thread("T")
        command = CreateThread(signed_transaction=await desk.sign(ana, draft), title="T", salt=draft.content.salt)
        await localnet.rpc("chorale_advanceSlots", 151)
        async with nothing_changed(desk):
            refusal = await desk.refused(command)
        assert (refusal.problem, refusal.code) == ("TransactionExpired", "BLOCKHASH_EXPIRED")
        await desk.run(replace(command, signed_transaction=await desk.sign(ana, draft)))


async def test_content_that_does_not_match_its_hash(desk: Desk, ana: Actor) -> None:
    thread = await desk.create(ana)
    draft = ana.post(thread.content.key.thread_id, "As signed")
    command = await desk.posting(ana, draft)
    async with nothing_changed(desk):
        for changed in ({"body": "Not as signed"}, {"salt": "ab" * 32}, {"body": "As signed "}):
            refusal = await desk.refused(replace(command, **changed))  # type: ignore[arg-type]
            assert (refusal.problem, refusal.code) == ("ContentMismatch", "CONTENT_MISMATCH")
            assert refusal.expected is not None
            assert refusal.actual is not None
            assert refusal.expected != refusal.actual


async def test_texts_salts_and_keys_out_of_bounds(desk: Desk, ana: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    bodies = ("", " \n\t", "x" * (MAX_BODY_BYTES + 1), "ü" * (MAX_BODY_BYTES // 2 + 1), "a\x00b", "\ud800")
    command = await desk.posting(ana, ana.post(thread_id, "fine"))
    naming = CreateThread(signed_transaction=b"", title="x" * (MAX_TITLE_BYTES + 1), salt="00" * 32)
    async with nothing_changed(desk):
        for body in bodies:
            refusal = await desk.refused(replace(command, body=body))
            assert (refusal.problem, refusal.field) == ("InvalidInput", "body")
        refusal = await desk.refused(naming)
        assert (refusal.problem, refusal.field) == ("InvalidInput", "title")
        for salt in ("", "zz" * 32, "AB" * 32, "ab" * 31):
            refusal = await desk.refused(replace(command, salt=salt))
            assert (refusal.problem, refusal.field) == ("InvalidInput", "salt")
        for key in ("", "k" * 129, "\ud800", "a\nb"):
            refusal = await desk.refused(replace(command, idempotency_key=key))
            assert (refusal.problem, refusal.field) == ("InvalidInput", "idempotencyKey")


async def test_client_mutation_ids_are_bounded_and_stay_their_senders(desk: Desk, ana: Actor) -> None:
    """129 characters are refused by name; 128 come back to the caller, and to nobody who follows the update."""
    thread = await desk.create(ana)
    command = await desk.posting(ana, ana.post(thread.content.key.thread_id, "Named"))
    async with nothing_changed(desk):
        refusal = await desk.refused(replace(command, client_mutation_id="c" * 129))
        assert (refusal.problem, refusal.field) == ("InvalidInput", "clientMutationId")
    result = await desk.run(replace(command, client_mutation_id="c" * 128))
    assert result.update.client_mutation_id == "c" * 128
    shown = await desk.updates.state(result.update.signature)
    assert shown is not None
    assert shown.client_mutation_id is None


async def test_16_kib_pass(desk: Desk, ana: Actor) -> None:
    thread = await desk.create(ana)
    draft = ana.post(thread.content.key.thread_id, "ü" * (MAX_BODY_BYTES // 2))
    result = await desk.run(await desk.posting(ana, draft))
    assert result.update.outcome is Outcome.VERIFIED


async def test_unknown_threads_and_messages(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    async with nothing_changed(desk):
        for command in (
            await desk.posting(ana, ana.post("ab" * 32, "Nowhere")),
            await desk.submission(ben, ben.submit("ab" * 32, "Nowhere")),
            await desk.ballot(ana, "ab" * 32, "cd" * 32, approve=True),
            await desk.ballot(ana, thread.content.key.thread_id, "cd" * 32, approve=True),
        ):
            refusal = await desk.refused(command)
            assert (refusal.problem, refusal.code) == ("NotFound", "NOT_FOUND")
        # Another of the program's accounts stands where the thread is expected.
        vote = ana.vote(thread.content.key.thread_id, "cd" * 32, approve=True)
        metas = list(vote.accounts)
        metas[2] = AccountMeta(Pubkey.from_string(desk.running.addresses.protocol()), False, True)
        forged = Instruction(vote.program_id, bytes(vote.data), metas)
        raw = await desk.running.sign([forged], [ana.keypair])
        assert (await desk.refused(CastVote(signed_transaction=raw))).problem == "NotFound"


async def test_who_may_not_post_submit_or_vote(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    pending = await desk.submit(ben, thread_id, "Please")
    outsider = Actor(desk.running, await desk.running.wallet())
    desk.actors.append(outsider)
    async with nothing_changed(desk):
        refusal = await desk.refused(await desk.posting(ben, ben.post(thread_id, "Let me in")))
        assert (refusal.problem, refusal.code) == ("NotACoAuthor", "NOT_A_CO_AUTHOR")
        refusal = await desk.refused(await desk.submission(ana, ana.submit(thread_id, "With a stake")))
        assert refusal.problem == "AlreadyACoAuthor"
        refusal = await desk.refused(await desk.ballot(outsider, thread_id, pending.hash, approve=True))
        assert (refusal.problem, refusal.program_error_code) == ("NotACoAuthor", ProgramError.NOT_A_CO_AUTHOR)
        refusal = await desk.refused(await desk.ballot(ben, thread_id, pending.hash, approve=True))
        assert (refusal.problem, refusal.code) == ("NotAllowedNow", "OWN_MESSAGE")


async def test_stakes_too_low_and_funds_too_short(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    unfunded = Actor(desk.running, await desk.running.wallet(tokens=0))
    poor = Actor(desk.running, await desk.running.wallet(tokens=MINIMUM_STAKE - 1))
    broke = Actor(desk.running, await desk.running.wallet(lamports=1_000_000, tokens=0))
    nobody = Actor(desk.running, Keypair())
    desk.actors += [unfunded, poor, broke, nobody]
    async with nothing_changed(desk):
        refusal = await desk.refused(await desk.submission(ben, ben.submit(thread_id, "Cheap", MINIMUM_STAKE - 1)))
        assert (refusal.problem, refusal.minimum) == ("StakeTooLow", MINIMUM_STAKE)
        for wallet in (unfunded, poor):
            refusal = await desk.refused(await desk.submission(wallet, wallet.submit(thread_id, "Poor")))
            assert (refusal.problem, refusal.code) == ("InsufficientFunds", "INSUFFICIENT_FUNDS")
        for wallet in (broke, nobody):
            draft = wallet.thread("No lamports")
            raw = await desk.sign(wallet, draft)
            command = CreateThread(signed_transaction=raw, title="No lamports", salt=draft.content.salt)
            assert (await desk.refused(command)).problem == "InsufficientFunds"


async def test_votes_twice_and_on_what_is_decided(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    cat = Actor(desk.running, await desk.running.wallet())
    joins = await desk.submit(ben, thread_id, "I join")
    await desk.run(await desk.ballot(ana, thread_id, joins.hash, approve=True))
    pending = await desk.submit(cat, thread_id, "Two must vote")
    await desk.run(await desk.ballot(ana, thread_id, pending.hash, approve=True))
    async with nothing_changed(desk):
        refusal = await desk.refused(await desk.ballot(ana, thread_id, pending.hash, approve=False))
        assert (refusal.problem, refusal.code) == ("NotAllowedNow", "ALREADY_VOTED")
        refusal = await desk.refused(await desk.ballot(ana, thread_id, joins.hash, approve=False))
        assert (refusal.problem, refusal.code) == ("NotAllowedNow", "NOT_PENDING")
        again = await desk.sign(ben, joins, set_compute_unit_limit(199_999))
        refusal = await desk.refused(
            SubmitMessage(signed_transaction=again, body=joins.content.body, salt=joins.content.salt)
        )
        assert (refusal.problem, refusal.code) == ("NotAllowedNow", "ALREADY_EXISTS")


async def test_a_thread_made_again_is_rejected_with_a_reason(desk: Desk, ana: Actor) -> None:
    draft = await desk.create(ana)
    raw = await desk.sign(ana, draft, set_compute_unit_limit(199_999))
    command = CreateThread(signed_transaction=raw, title=draft.content.body, salt=draft.content.salt)
    async with nothing_changed(desk):
        refusal = await desk.refused(command)
    assert (refusal.problem, refusal.code) == ("TransactionRejected", "ALREADY_EXISTS")


async def test_rejections_carry_the_programs_logs(desk: Desk, ana: Actor) -> None:
    draft = ana.thread("T")
    metas = list(draft.instruction.accounts)
    metas[4] = AccountMeta(Keypair().pubkey(), False, True)  # not the vault
    forged = Instruction(draft.instruction.program_id, bytes(draft.instruction.data), metas)
    raw = await desk.running.sign([forged], [ana.keypair])
    async with nothing_changed(desk):
        refusal = await desk.refused(CreateThread(signed_transaction=raw, title="T", salt=draft.content.salt))
    assert (refusal.problem, refusal.program_error_code) == ("TransactionRejected", ProgramError.INVALID_ACCOUNT)
    assert any(desk.running.program_id in line for line in refusal.logs)


async def test_a_sponsor_may_pay(desk: Desk, ana: Actor, ben: Actor) -> None:
    draft = ana.thread("Sponsored")
    part = instructions.create_thread(
        desk.running.addresses,
        payer=ben.key,
        creator=ana.key,
        mint=desk.running.mint,
        nonce=draft.content.nonce,
        title_hash=draft.hash,
    )
    raw = await desk.running.sign([part], [ben.keypair, ana.keypair])
    result = await desk.run(CreateThread(signed_transaction=raw, title="Sponsored", salt=draft.content.salt))
    assert result.wallet == ana.key


async def test_a_landed_transaction_is_answered_with_its_result(desk: Desk, ana: Actor, ben: Actor) -> None:
    """Sent past this server before, and by this server twice: the same result, and no second effect."""
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    draft = ana.post(thread_id, "Sent by the wallet itself")
    command = await desk.posting(ana, draft)
    await desk.running.send_raw(command.signed_transaction)
    first = await desk.run(command)
    assert first.update.outcome is Outcome.VERIFIED
    assert first.content_hash == draft.hash
    async with nothing_changed(desk):
        again = await desk.updates.run(command)
        assert isinstance(again, UpdateResult)
        assert again.update == first.update
    stored = (await desk.parts.content.fetch([draft.content.key]))[draft.content.key].stored
    assert stored is not None
    assert stored.body == "Sent by the wallet itself"
    changed = replace(command, body="Other bytes")
    assert (await desk.refused(changed)).problem == "ContentMismatch"
