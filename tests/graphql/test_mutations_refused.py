"""What a mutation refuses is typed data at the edge of the graph, and a repeated mutation has happened once."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from tests import operations
from tests.stack import RunningServer, unique


async def version(server: RunningServer, thread_id: str) -> int:
    """The thread's version now."""
    thread = (await server.data_of(operations.READ_THREAD, {"threadId": thread_id}))["thread"]
    return int(thread["version"])


@pytest.mark.parametrize("field", ["createThread", "postMessage", "submitMessage", "castVote", "claimEscrow", "divest"])
async def test_what_is_no_transaction(server: RunningServer, field: str) -> None:
    """Bytes that are none, cut ones and unsigned ones are TransactionInvalid, whoever sends them."""
    ada = await server.actor()
    prepared = await ada.prepare("createThread", title="Never")
    whole = b64decode(prepared["transaction"])
    texts = {"createThread": {"title": "Never"}, "postMessage": {"body": "Never"}, "submitMessage": {"body": "Never"}}
    text = texts.get(field, {})
    salt = {"salt": prepared["salt"]} if text else {}
    for broken in (b"", b"\x00", whole[:-1], whole + b"\x00", whole):
        variables = {"input": {"signedTransaction": b64encode(broken).decode(), **text, **salt}}
        payload = (await server.data_of(operations.MUTATE[field], variables))[field]
        assert payload["__typename"] == "TransactionInvalid", broken
        assert payload["explanation"]


async def test_a_text_that_does_not_match(server: RunningServer) -> None:
    """Another body or salt than the signed hash is a ContentMismatch, and nothing changes."""
    ada = await server.actor()
    thread_id = await ada.create_thread()
    before = await version(server, thread_id)
    signed = await ada.signed("postMessage", threadId=thread_id, body="This.")
    for wrong in ({"body": "That."}, {"salt": "00" * 32}):
        payload = await ada.mutate("postMessage", signed | wrong)
        assert payload["__typename"] == "ContentMismatch"
    for body in ("", " ", "x" * 16_385):
        payload = await ada.mutate("postMessage", signed | {"body": body})
        assert (payload["__typename"], payload["field"]) == ("InvalidInput", "body")
    assert await version(server, thread_id) == before


async def test_refusals_of_the_rules(server: RunningServer) -> None:
    """An outsider's vote, a second vote, a stake below the minimum: told by `prepare`, by their own types."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    low = await ben.prepare("submitMessage", threadId=thread_id, body="Cheap.", stake="1")
    assert low["__typename"] == "StakeTooLow"
    outsider = await ben.prepare("postMessage", threadId=thread_id, body="Mine.")
    assert outsider["__typename"] == "NotACoAuthor"
    member = await ada.prepare("submitMessage", threadId=thread_id, body="Mine.", stake="1000000")
    assert member["__typename"] == "AlreadyACoAuthor"
    unknown = await ada.prepare("postMessage", threadId="00" * 32, body="Where?")
    assert unknown["__typename"] == "NotFound"
    sent = await ben.act("submitMessage", threadId=thread_id, body=unique("Vote."), stake="1000000")
    asked = {"contentHash": sent["message"]["contentHash"], "approve": True}
    assert (await ben.prepare("castVote", **asked))["__typename"] in ("NotACoAuthor", "NotAllowedNow")
    await ada.act("castVote", **asked)
    assert (await ada.prepare("castVote", **asked))["__typename"] == "NotAllowedNow"


async def test_sending_again_changes_nothing_more(server: RunningServer) -> None:
    """The same transaction, or another under the same key, gets the stored result; another content is a conflict."""
    ada = await server.actor()
    thread_id = await ada.create_thread()
    signed = await ada.signed("postMessage", threadId=thread_id, body="Once.", nonce="1")
    first = await ada.mutate("postMessage", signed | {"idempotencyKey": "k", "clientMutationId": "a"})
    assert first["update"]["clientMutationId"] == "a"
    after = await version(server, thread_id)
    again = await ada.mutate("postMessage", signed | {"idempotencyKey": "k"})
    without = await ada.mutate("postMessage", signed)
    for repeated in (again, without):
        assert repeated["update"]["signature"] == first["update"]["signature"]
        assert repeated["message"]["contentHash"] == first["message"]["contentHash"]
    other = await ada.signed("postMessage", threadId=thread_id, body="Twice.", nonce="2")
    conflict = await ada.mutate("postMessage", other | {"idempotencyKey": "k"})
    assert conflict["__typename"] == "IdempotencyConflict"
    assert await version(server, thread_id) == after


async def test_a_public_transaction_shows_nobody_a_hidden_message(server: RunningServer) -> None:
    """Whoever copies a vote off the chain and sends it again does not get to read what it was about."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    secret = unique("Hidden.")
    sent = await ben.act("submitMessage", threadId=thread_id, body=secret, stake="1000000")
    signed = await ada.signed("castVote", contentHash=sent["message"]["contentHash"], approve=False)
    voted = await ada.mutate("castVote", signed)
    assert voted["message"]["status"] == "DENIED"
    assert (await ada.mutate("castVote", signed))["message"]["body"] == secret
    for token in (None, eve.token):
        answer = await server.execute(operations.MUTATE["castVote"], {"input": signed}, token)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert secret not in str(answer)


async def test_a_sponsor_does_not_see_what_the_voter_sees(server: RunningServer) -> None:
    """Who pays for a vote and sends it again, signed in, reads no hidden message by it."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    secret = unique("Sponsored.")
    sent = await ben.act("submitMessage", threadId=thread_id, body=secret, stake="1000000")
    denial = await ada.signed("castVote", contentHash=sent["message"]["contentHash"], approve=False, sponsor=eve)
    for _ in range(2):
        answer = await eve.execute(operations.MUTATE["castVote"], {"input": denial})
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert secret not in str(answer)
    assert (await ada.mutate("castVote", denial))["message"]["body"] == secret


async def test_a_vote_without_a_session_counts_and_shows_nothing_hidden(server: RunningServer) -> None:
    """A fresh vote runs whoever brings it; what it decided is shown where everybody may see it."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    for approve in (False, True):
        body = unique("Voted on.")
        sent = await ben.act("submitMessage", threadId=thread_id, body=body, stake="1000000")
        content_hash = sent["message"]["contentHash"]
        signed = await ada.signed("castVote", contentHash=content_hash, approve=approve)
        answer = await server.execute(operations.MUTATE["castVote"], {"input": signed})
        seen = (await ada.ask(operations.READ_MESSAGE, {"contentHash": content_hash}))["message"]
        if approve:
            assert answer["data"]["castVote"]["message"]["body"] == body
            assert seen["status"] == "PUBLISHED"
        else:
            assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert "VERIFIED" in answer["errors"][0]["message"]
            assert body not in str(answer)
            assert seen["status"] == "DENIED"


async def test_a_signed_transaction_is_proof_enough(server: RunningServer) -> None:
    """A wallet without a session may write: who holds its fresh signature acts for it."""
    ben = await server.actor()
    signed = await ben.signed("createThread", title="No session")
    payload = (await server.data_of(operations.MUTATE["createThread"], {"input": signed}))["createThread"]
    assert payload["__typename"] == "CreateThreadSuccess"
    assert payload["wallet"]["address"] == ben.address
