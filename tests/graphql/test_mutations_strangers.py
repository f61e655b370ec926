"""A stranger who knows a hidden message's hash, and makes transactions past `prepare`, gains and learns nothing."""

from __future__ import annotations

from base64 import b64encode

from programs import instructions
from programs.transactions import compose
from tests import operations
from tests.graphql.test_mutations_endings import joined
from tests.stack import Actor, Json, RunningServer, unique


async def own(actor: Actor, server: RunningServer, name: str, **keys: str) -> Json:
    """Input of a mutation: an instruction as the actor likes it, signed by nobody else."""
    instruction = getattr(instructions, name)(server.chain.addresses, **keys)
    latest = await server.chain.rpc("getLatestBlockhash", {"commitment": "confirmed"})
    raw = compose(payer=actor.address, instructions=[instruction], blockhash=latest["value"]["blockhash"])
    return {"signedTransaction": actor.sign(b64encode(raw).decode())}


async def test_a_stranger_gains_and_learns_nothing(server: RunningServer) -> None:
    """While it waits and once something is owed: refused, in words that name neither its author nor its text."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    secret = unique("Hidden.")
    content_hash = await ben.submit(thread_id, secret)
    about = {"thread_id": thread_id, "content_hash": content_hash}
    tokens = server.chain.addresses.associated_token_account(eve.address, server.chain.mint)
    held = await eve.tokens()

    async def codes() -> dict[str, str]:
        attempts = {
            "expireMessage": await own(eve, server, "expire", **about),
            "resolveMessage": await own(eve, server, "resolve", payer=eve.address, **about),
            "cancelMessage": await own(eve, server, "cancel", author=eve.address, **about),
            "refundStake": await own(eve, server, "refund", payee=ben.address, destination=tokens, **about),
            "claimEscrow": await own(eve, server, "claim", payee=ada.address, destination=tokens, **about),
        }
        found = {}
        for field, signed in attempts.items():
            for token in (eve.token, None):
                answer = await server.execute(operations.MUTATE[field], {"input": signed}, token)
                found[field] = answer["data"][field]["code"]
                assert not [hidden for hidden in (secret, ben.address, content_hash) if hidden in str(answer)]
            told = await eve.prepare(field, contentHash=content_hash)
            assert told["code"] == "NOT_FOUND"
        return found

    assert await codes() == {
        "expireMessage": "WINDOW_OPEN",
        "resolveMessage": "NOTHING_TO_DECIDE",
        "cancelMessage": "UNAUTHORIZED",
        "refundStake": "NOTHING_OWED",
        "claimEscrow": "NOTHING_OWED",
    }
    for voter in (ada, cat):
        await voter.act("castVote", contentHash=content_hash, approve=False)
    assert await codes() == {
        "expireMessage": "NOT_PENDING",
        "resolveMessage": "NOT_PENDING",
        "cancelMessage": "UNAUTHORIZED",
        "refundStake": "NOTHING_OWED",
        "claimEscrow": "INVALID_DESTINATION",
    }
    assert await eve.tokens() == held
