"""What is prepared needs only a signature; what a wallet would run into is told before it signs."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair
from solders.transaction import Transaction

from chorale.domain.commands import CastVote, CreateThread, FeeOptions, PostMessage, PreparedTransaction, SubmitMessage
from chorale.domain.content import MAX_BODY_BYTES
from chorale.domain.updates import Refusal
from chorale.preparation.messages import EXPIRY_SLACK
from programs import identity
from programs.transactions import decode_transaction
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE
from tests.spine.desk import Desk
from tests.spine.parts import Actor

pytestmark = pytest.mark.asyncio(loop_scope="session")

SALT = "5a" * 32


def prepared(answer: PreparedTransaction | Refusal) -> PreparedTransaction:
    assert isinstance(answer, PreparedTransaction), answer
    return answer


def refused(answer: PreparedTransaction | Refusal) -> tuple[str, str]:
    assert isinstance(answer, Refusal)
    assert answer.explanation.endswith(".")
    return answer.problem, answer.field or answer.code


def sign(answer: PreparedTransaction, *actors: Actor) -> bytes:
    """What wallets do: put their signatures in, on the blockhash that is there."""
    transaction = Transaction.from_bytes(answer.transaction)
    transaction.sign([actor.keypair for actor in actors], transaction.message.recent_blockhash)
    return bytes(transaction)


async def lamports(desk: Desk, actor: Actor) -> int:
    read = await desk.parts.chain.accounts([actor.key])
    return read.accounts[0].lamports if read.accounts[0] else 0


async def test_the_whole_flow_costs_exactly_what_was_told(desk: Desk) -> None:
    wallets = [Actor(desk.running, await desk.running.wallet()) for _ in range(3)]
    ana, ben, cat = wallets
    held = {actor.key: await lamports(desk, actor) for actor in wallets}

    async def charged(actor: Actor, answer: PreparedTransaction) -> None:
        held[actor.key] -= answer.fee_lamports + answer.rent_lamports
        assert await lamports(desk, actor) == held[actor.key]

    thread = prepared(await desk.preparer.create_thread(ana.key, "Estuaries"))
    assert (thread.expected_version, thread.content_hash, thread.fee_payer) == (None, None, ana.key)
    assert thread.thread_id is not None
    assert thread.nonce is not None
    assert thread.salt is not None
    assert thread.thread_id == identity.thread_id(ana.key, thread.nonce)
    assert thread.block_height < thread.last_valid_block_height
    now = await desk.parts.chain.unix_time()
    assert now < thread.expires_at <= now + 61
    await desk.run(CreateThread(signed_transaction=sign(thread, ana), title="Estuaries", salt=thread.salt))
    await charged(ana, thread)

    post = prepared(await desk.preparer.post_message(ana.key, thread.thread_id, "Salt meets sweet."))
    assert post.expected_version == 1
    assert post.salt is not None
    posted = await desk.run(PostMessage(signed_transaction=sign(post, ana), body="Salt meets sweet.", salt=post.salt))
    assert posted.content_hash == post.content_hash
    await charged(ana, post)

    contents = []
    for author in (ben, cat):
        message = prepared(await desk.preparer.submit_message(author.key, thread.thread_id, "Mud.", MINIMUM_STAKE))
        assert message.salt is not None
        assert message.content_hash is not None
        await desk.run(SubmitMessage(signed_transaction=sign(message, author), body="Mud.", salt=message.salt))
        await charged(author, message)
        contents.append(message.content_hash)

    vote = prepared(await desk.preparer.cast_vote(ana.key, contents[0], True))
    assert vote.rent_lamports == 0
    await desk.run(CastVote(signed_transaction=sign(vote, ana)))
    await charged(ana, vote)
    # Ben has joined since Cat submitted: whoever votes second pays for the room that was not foreseen.
    first = prepared(await desk.preparer.cast_vote(ana.key, contents[1], True))
    await desk.run(CastVote(signed_transaction=sign(first, ana)))
    await charged(ana, first)
    second = prepared(await desk.preparer.cast_vote(ben.key, contents[1], True))
    assert second.rent_lamports > 0
    await desk.run(CastVote(signed_transaction=sign(second, ben)))
    await charged(ben, second)


async def test_lamports_that_wait_at_new_addresses_are_not_asked_for_again(desk: Desk) -> None:
    """Whoever sends lamports to an account that is still to be made pays so much of its rent."""
    ana = Actor(desk.running, await desk.running.wallet())
    addresses = desk.running.addresses
    thread = prepared(await desk.preparer.create_thread(ana.key, "Deltas", 1, SALT))
    assert thread.thread_id is not None
    address = addresses.thread(thread.thread_id)
    for waiting in (address, addresses.vault(address)):
        await desk.running.fund(waiting, lamports=1_000_000, tokens=0)
    again = prepared(await desk.preparer.create_thread(ana.key, "Deltas", 1, SALT))
    assert again.rent_lamports == thread.rent_lamports - 2_000_000
    held = await lamports(desk, ana)
    await desk.run(CreateThread(signed_transaction=sign(again, ana), title="Deltas", salt=SALT))
    assert await lamports(desk, ana) == held - again.fee_lamports - again.rent_lamports

    post = prepared(await desk.preparer.post_message(ana.key, thread.thread_id, "Silt.", 2, SALT))
    assert post.content_hash is not None
    await desk.running.fund(addresses.message(address, post.content_hash), lamports=1_000_000, tokens=0)
    again = prepared(await desk.preparer.post_message(ana.key, thread.thread_id, "Silt.", 2, SALT))
    assert again.rent_lamports == post.rent_lamports - 1_000_000


async def test_identity_is_repeatable_and_ids_are_not(desk: Desk, ana: Actor) -> None:
    first = prepared(await desk.preparer.create_thread(ana.key, "Twice", 7, SALT))
    second = prepared(await desk.preparer.create_thread(ana.key, "Twice", 7, SALT))
    assert (first.thread_id, first.nonce, first.salt) == (second.thread_id, 7, SALT)
    assert first.id != second.id
    drawn = prepared(await desk.preparer.create_thread(ana.key, "Twice"))
    assert drawn.salt != first.salt
    for nonce in (0, 2**64 - 1):
        assert prepared(await desk.preparer.create_thread(ana.key, "Edge", nonce)).nonce == nonce


async def test_a_sponsor_pays_fee_and_rent_and_offers_priority(desk: Desk, ana: Actor, ben: Actor) -> None:
    fees = FeeOptions(fee_payer=ben.key, priority_fee_micro_lamports=10)
    answer = prepared(await desk.preparer.create_thread(ana.key, "Sponsored", None, SALT, fees))
    decoded = decode_transaction(answer.transaction, desk.running.program_id)
    assert decoded.signers == (ben.key, ana.key)
    assert decoded.compute_unit_price == 10
    assert decoded.compute_unit_limit == answer.compute_unit_limit
    assert answer.fee_lamports == 2 * 5_000 + -(-10 * answer.compute_unit_limit // 1_000_000)
    before = await lamports(desk, ana)
    await desk.run(CreateThread(signed_transaction=sign(answer, ben, ana), title="Sponsored", salt=SALT))
    assert await lamports(desk, ana) == before


async def test_a_submission_names_how_long_it_may_wait(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread_id = (await desk.create(ana)).content.key.thread_id
    answer = prepared(await desk.preparer.submit_message(ben.key, thread_id, "x", MINIMUM_STAKE))
    instruction = decode_transaction(answer.transaction, desk.running.program_id).instructions[-1].decoded
    assert instruction is not None
    latest = await desk.parts.chain.unix_time() + APPROVAL_WINDOW + EXPIRY_SLACK
    assert latest - 60 <= int(instruction.args["max_expires_at"]) <= latest


async def test_malformed_arguments_are_named(desk: Desk, ana: Actor) -> None:
    thread_id = (await desk.create(ana)).content.key.thread_id
    preparer = desk.preparer
    long = "ü" * (MAX_BODY_BYTES // 2 + 1)
    for answer, field in (
        (await preparer.create_thread("0OIl", "T"), "wallet"),
        (await preparer.create_thread(ana.key, ""), "title"),
        (await preparer.create_thread(ana.key, "x" * 257), "title"),
        (await preparer.create_thread(ana.key, "T", 2**64), "nonce"),
        (await preparer.create_thread(ana.key, "T", -1), "nonce"),
        (await preparer.create_thread(ana.key, "T", 1, "ab"), "salt"),
        (await preparer.create_thread(ana.key, "T", None, None, FeeOptions(fee_payer="x")), "feePayer"),
        (
            await preparer.create_thread(ana.key, "T", None, None, FeeOptions(None, 2**64)),
            "priorityFeeMicroLamports",
        ),
        (await preparer.post_message(ana.key, thread_id, long), "body"),
        (await preparer.post_message(ana.key, "ab", "x"), "threadId"),
        (await preparer.submit_message(ana.key, thread_id, "\ud800", 1), "body"),
        (await preparer.submit_message(ana.key, thread_id, "x", 2**64), "stake"),
        (await preparer.cast_vote(ana.key, "zz", True), "contentHash"),
    ):
        assert refused(answer) == ("InvalidInput", field)


async def test_what_the_program_would_refuse_is_refused_beforehand(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread = await desk.create(ana)
    thread_id = thread.content.key.thread_id
    pending = await desk.submit(ben, thread_id, "Please")
    published = ana.post(thread_id, "Out")
    await desk.run(await desk.posting(ana, published))
    outsider = Actor(desk.running, await desk.running.wallet())
    preparer = desk.preparer

    assert refused(await preparer.create_thread(ana.key, "T", thread.content.nonce)) == (
        "NotAllowedNow", "ALREADY_EXISTS",
    )  # fmt: skip
    assert refused(await preparer.post_message(ana.key, "ab" * 32, "x"))[0] == "NotFound"
    assert refused(await preparer.post_message(ben.key, thread_id, "x"))[0] == "NotACoAuthor"
    posted = published.content
    again = await preparer.post_message(ana.key, thread_id, posted.body, posted.nonce, posted.salt)
    assert refused(again) == ("NotAllowedNow", "ALREADY_EXISTS")
    assert refused(await preparer.submit_message(ben.key, "ab" * 32, "x", MINIMUM_STAKE))[0] == "NotFound"
    assert refused(await preparer.submit_message(ana.key, thread_id, "x", MINIMUM_STAKE))[0] == "AlreadyACoAuthor"
    low = await preparer.submit_message(ben.key, thread_id, "x", MINIMUM_STAKE - 1)
    assert isinstance(low, Refusal)
    assert (low.problem, low.minimum) == ("StakeTooLow", MINIMUM_STAKE)

    assert refused(await preparer.cast_vote(ana.key, "ab" * 32, True))[0] == "NotFound"
    assert refused(await preparer.cast_vote(outsider.key, published.hash, True))[0] == "NotACoAuthor"
    assert refused(await preparer.cast_vote(ben.key, pending.hash, True)) == ("NotAllowedNow", "OWN_MESSAGE")
    await desk.run(await desk.ballot(ana, thread_id, pending.hash, approve=False))
    assert refused(await preparer.cast_vote(ana.key, pending.hash, True)) == ("NotAllowedNow", "NOT_PENDING")


async def test_what_one_may_not_see_does_not_exist(desk: Desk, ana: Actor, ben: Actor) -> None:
    thread_id = (await desk.create(ana)).content.key.thread_id
    pending = await desk.submit(ben, thread_id, "Between us")
    outsider = Actor(desk.running, await desk.running.wallet())
    vote = desk.preparer.cast_vote
    assert refused(await vote(outsider.key, pending.hash, True))[0] == "NotFound"
    assert refused(await vote(outsider.key, pending.hash, True, viewer=outsider.key))[0] == "NotFound"
    assert refused(await vote(outsider.key, pending.hash, True, viewer=ben.key))[0] == "NotACoAuthor"
    prepared(await vote(ana.key, pending.hash, True))
    staged = ben.submit(thread_id, "Not on chain yet")
    await desk.parts.stage(staged.content)
    assert refused(await vote(ana.key, staged.hash, True))[0] == "NotFound"


async def test_funds_are_counted_to_the_lamport(desk: Desk, ana: Actor) -> None:
    thread_id = (await desk.create(ana)).content.key.thread_id
    cost = prepared(await desk.preparer.create_thread(ana.key, "T"))
    total = cost.fee_lamports + cost.rent_lamports
    rent_exempt = await desk.parts.chain.rent(0)
    for held, enough in ((total - 1, False), (total, True), (total + 1, False), (total + rent_exempt, True)):
        wallet = Actor(desk.running, await desk.running.wallet(lamports=max(held, rent_exempt), tokens=0))
        answer = await desk.preparer.create_thread(wallet.key, "T", None, SALT)
        if not enough:
            assert refused(answer)[0] == "InsufficientFunds"
            continue
        command = CreateThread(signed_transaction=sign(prepared(answer), wallet), title="T", salt=SALT)
        await desk.run(command)
    poor = Actor(desk.running, await desk.running.wallet(tokens=MINIMUM_STAKE - 1))
    none = Actor(desk.running, Keypair())
    submit = desk.preparer.submit_message
    assert refused(await submit(poor.key, thread_id, "x", MINIMUM_STAKE))[0] == "InsufficientFunds"
    assert refused(await submit(none.key, thread_id, "x", MINIMUM_STAKE))[0] == "InsufficientFunds"
    assert refused(await desk.preparer.create_thread(none.key, "T"))[0] == "InsufficientFunds"
