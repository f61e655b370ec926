"""Tokens that leave a thread's vault, through a real server: shares, stakes, a co-author's part, the treasury's due."""

from __future__ import annotations

from tests import operations
from tests.graphql.test_mutations_endings import check_verified, joined, refused, seen
from tests.stack import Actor, RunningServer, unique

STAKE = 1_000_001


async def test_deniers_are_paid_their_shares_once(server: RunningServer) -> None:
    """Half of an odd stake each; the remainder is the treasury's. A second claim is refused beforehand."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    content_hash = await ben.submit(thread_id, unique("No."), STAKE)
    asked = {"contentHash": content_hash}
    assert await refused(ada, "claimEscrow", **asked) == ("NotAllowedNow", "NOTHING_OWED")
    for voter in (ada, cat):
        await voter.act("castVote", **asked, approve=False)
    for claimed, denier in enumerate((ada, cat), start=1):
        held = await denier.tokens()
        payload = await denier.act("claimEscrow", **asked)
        check_verified(payload)
        assert payload["wallet"]["address"] == denier.address
        assert sum(vote["claimed"] for vote in payload["message"]["votes"]) == claimed
        assert payload["message"]["escrowRemaining"]["amount"] == str(STAKE // 2 * (2 - claimed))
        assert await denier.tokens() == (held or 0) + STAKE // 2
        assert await seen(ben, content_hash) == payload["message"]
        assert await refused(denier, "claimEscrow", **asked) == ("NotAllowedNow", "ALREADY_CLAIMED")
    assert await refused(ben, "claimEscrow", **asked) == ("NotAllowedNow", "NOT_A_DENIER")
    assert await refused(ben, "refundStake", **asked) == ("NotAllowedNow", "NOTHING_OWED")
    assert await refused(ada, "refundStake", **asked) == ("NotAllowedNow", "UNAUTHORIZED")


async def test_a_stake_comes_back(server: RunningServer) -> None:
    """Of a cancelled message and of an expired one, in full, once."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cancelled = await ben.submit(thread_id, unique("Never mind."), STAKE)
    await ben.act("cancelMessage", contentHash=cancelled)
    expired = await ben.submit(thread_id, unique("Too late."), STAKE)
    await server.pass_window()
    await ada.act("expireMessage", contentHash=expired)
    for content_hash in (cancelled, expired):
        held = await ben.tokens()
        payload = await ben.act("refundStake", contentHash=content_hash)
        check_verified(payload)
        assert payload["message"]["escrowRemaining"]["amount"] == "0"
        assert await ben.tokens() == (held or 0) + STAKE
        assert await seen(ada, content_hash) == payload["message"]
        assert await refused(ben, "refundStake", contentHash=content_hash) == ("NotAllowedNow", "NOTHING_OWED")


async def test_a_co_author_leaves_with_a_share_and_the_last_one_stays(server: RunningServer) -> None:
    """Half of the balance, then all of what is left; the seat of the last one is kept."""
    ada = await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    asked = {"threadId": thread_id}
    low = await cat.prepare("divest", **asked, minPayout="500001")
    assert (low["__typename"], low["code"]) == ("NotAllowedNow", "PAYOUT_TOO_LOW")
    held = await cat.tokens()
    payload = await cat.act("divest", **asked)
    check_verified(payload)
    assert await cat.tokens() == (held or 0) + 500_000
    assert payload["thread"]["tokenBalance"]["amount"] == "500000"
    assert [seat["user"]["address"] for seat in payload["thread"]["coAuthors"]] == [ada.address]
    assert await refused(cat, "divest", **asked) == ("NotACoAuthor", "NOT_A_CO_AUTHOR")
    assert await refused(cat, "divest", threadId="ab" * 32) == ("NotFound", "NOT_FOUND")
    last = await ada.act("divest", **asked, minPayout="500000")
    assert last["thread"]["tokenBalance"]["amount"] == "0"
    assert [seat["user"]["address"] for seat in last["thread"]["coAuthors"]] == [ada.address]
    shown = (await ada.ask(operations.READ_THREAD, {"threadId": thread_id}))["thread"]
    assert shown["version"] == last["thread"]["version"]


async def test_a_share_that_has_shrunk_is_not_paid(server: RunningServer) -> None:
    """The default protects: prepared for a half, then another joined with less. Whoever agrees to less leaves."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    rich = await ben.submit(thread_id, unique("I join."), 10_000_000)
    await ada.act("castVote", contentHash=rich, approve=True)
    half = await ben.signed("divest", threadId=thread_id)
    less = await ben.signed("divest", threadId=thread_id, minPayout="0")
    await joined(server, thread_id, ada, ben)
    late = await ben.mutate("divest", half)
    assert (late["__typename"], late["code"]) == ("NotAllowedNow", "PAYOUT_TOO_LOW")
    held = await ben.tokens()
    assert (await ben.mutate("divest", less))["__typename"] == "DivestSuccess"
    assert await ben.tokens() == (held or 0) + 11_000_000 // 3


async def test_the_treasury_is_paid_what_it_is_due(server: RunningServer) -> None:
    """Stakes of split votes, by anybody who pays the fee; nothing due is refused beforehand and by the program."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    asked = {"threadId": thread_id}
    assert await refused(eve, "sweepThread", **asked) == ("NotAllowedNow", "NOTHING_OWED")
    content_hash = await ben.submit(thread_id, unique("Split."), STAKE)
    await ada.act("castVote", contentHash=content_hash, approve=True)
    split = await cat.act("castVote", contentHash=content_hash, approve=False)
    assert split["thread"]["treasuryDue"]["amount"] == str(STAKE)
    first, second = await eve.signed("sweepThread", **asked), await ada.signed("sweepThread", **asked)
    payload = await eve.mutate("sweepThread", first)
    check_verified(payload)
    assert (payload["thread"]["treasuryDue"]["amount"], payload["wallet"]["address"]) == ("0", eve.address)
    late = await ada.mutate("sweepThread", second)
    assert (late["__typename"], late["code"]) == ("TransactionRejected", "NOTHING_OWED")
    again = await eve.mutate("sweepThread", first)
    assert again["update"]["signature"] == payload["update"]["signature"]


async def test_a_token_account_that_is_missing_is_made_along(server: RunningServer) -> None:
    """A denier without one is paid all the same; its rent is told, and charged to whoever pays."""
    ada, ben, eve = await server.actor(tokens=0), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    content_hash = await ben.submit(thread_id, unique("No."), STAKE)
    await ada.act("castVote", contentHash=content_hash, approve=False)
    assert await ada.tokens() is None
    asked = {"contentHash": content_hash}
    prepared = await ada.prepare("claimEscrow", **asked, fees={"feePayer": eve.address})
    assert int(prepared["rentLamports"]) == 2_039_280
    assert int(prepared["feeLamports"]) == 5_000
    signed = await ada.signed("claimEscrow", **asked, sponsor=eve)
    before = await lamports(server, eve)
    payload = await ada.mutate("claimEscrow", signed)
    check_verified(payload)
    assert await ada.tokens() == STAKE
    assert await lamports(server, eve) == before - 2_039_280 - 5_000


async def test_a_payout_by_another_shows_them_nothing_hidden(server: RunningServer) -> None:
    """Who pays the denier's fee, or copies the transaction, does not get to read the message."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    secret = unique("Hidden.")
    content_hash = await ben.submit(thread_id, secret)
    await ada.act("castVote", contentHash=content_hash, approve=False)
    signed = await ada.signed("claimEscrow", contentHash=content_hash, sponsor=eve)
    assert not ada.must_sign(signed["signedTransaction"])
    for token in (eve.token, None):
        answer = await server.execute(operations.MUTATE["claimEscrow"], {"input": signed}, token)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert secret not in str(answer)
    shown = await ada.mutate("claimEscrow", signed)
    assert (shown["message"]["body"], shown["wallet"]["address"]) == (secret, ada.address)


async def test_sending_again_pays_once(server: RunningServer) -> None:
    """The same transaction, or another under the same key, gets the stored result; keys are the signer's own."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    hashes = [await ben.submit(thread_id, unique("No."), STAKE) for _ in range(2)]
    for content_hash in hashes:
        await ada.act("castVote", contentHash=content_hash, approve=False)
    held = await ada.tokens()
    first = await ada.signed("claimEscrow", contentHash=hashes[0])
    # Prepared before the first lands; another transaction with the same instruction and the same signer.
    priced = await ada.prepare("claimEscrow", contentHash=hashes[0], fees={"priorityFeeMicroLamports": "1"})
    other = await ada.signed("claimEscrow", contentHash=hashes[1])
    paid = await ada.mutate("claimEscrow", first | {"idempotencyKey": "pay"})
    for repeated in (first, first | {"idempotencyKey": "pay"}):
        assert (await ada.mutate("claimEscrow", repeated))["update"]["signature"] == paid["update"]["signature"]
    twin = {"signedTransaction": ada.sign(priced["transaction"]), "idempotencyKey": "pay"}
    assert (await ada.mutate("claimEscrow", twin))["update"]["signature"] == paid["update"]["signature"]
    conflict = await ada.mutate("claimEscrow", other | {"idempotencyKey": "pay"})
    assert conflict["__typename"] == "IdempotencyConflict"
    assert await ada.tokens() == (held or 0) + STAKE
    # The sponsor's key of the same name is another.
    sponsored = await ada.signed("claimEscrow", contentHash=hashes[1], sponsor=eve)
    payload = await ada.mutate("claimEscrow", sponsored | {"idempotencyKey": "pay"})
    assert payload["__typename"] == "ClaimEscrowSuccess"
    assert await ada.tokens() == (held or 0) + 2 * STAKE


async def lamports(server: RunningServer, actor: Actor) -> int:
    """What a wallet holds."""
    found = await server.chain.rpc("getBalance", actor.address, {"commitment": "confirmed"})
    return int(found["value"])
