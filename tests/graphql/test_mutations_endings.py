"""Messages that end without a last vote, through a real server: cancelled, expired, evaluated again."""

from __future__ import annotations

import pytest

from tests import operations
from tests.stack import Actor, Json, RunningServer, unique

STEPS = ["UPDATE_AUTHORITY", "AWAIT_CONFIRMATION", "PROPAGATE", "VERIFY"]


def check_verified(payload: Json) -> None:
    """All four steps are done, and the answer is of the version that it was read at."""
    update = payload["update"]
    assert update["outcome"] == "VERIFIED"
    assert [(step["name"], step["state"]) for step in update["steps"]] == [(name, "DONE") for name in STEPS]


async def seen(actor: Actor, content_hash: str) -> Json:
    """A message as a query shows it."""
    message: Json = (await actor.ask(operations.READ_MESSAGE, {"contentHash": content_hash}))["message"]
    return message


async def refused(actor: Actor, field: str, **arguments: str) -> tuple[str, str]:
    """Type and code of what `prepare` refuses."""
    answer = await actor.prepare(field, **arguments)
    assert answer["explanation"].endswith(".")
    return answer["__typename"], answer["code"]


async def joined(server: RunningServer, thread_id: str, *present: Actor) -> Actor:
    """A new co-author, approved by all who are `present`."""
    author = await server.actor()
    content_hash = await author.submit(thread_id, unique("I join."))
    for voter in present:
        await voter.act("castVote", contentHash=content_hash, approve=True)
    return author


async def test_an_author_cancels_before_the_first_vote(server: RunningServer) -> None:
    """Cancelled, read back, and the same for every later query; a second time is refused beforehand."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    content_hash = await ben.submit(thread_id, unique("Never mind."))
    payload = await ben.act("cancelMessage", contentHash=content_hash)
    check_verified(payload)
    assert payload["wallet"]["address"] == ben.address
    assert payload["message"]["status"] == "CANCELLED"
    assert payload["message"]["escrowRemaining"]["amount"] == "1000000"
    assert await seen(ben, content_hash) == payload["message"]
    assert await refused(ben, "cancelMessage", contentHash=content_hash) == ("NotAllowedNow", "NOT_PENDING")


async def test_what_prepare_says_to_a_cancellation(server: RunningServer) -> None:
    """Who is not the author, messages with votes or out of time, and messages that do not exist for the wallet."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    content_hash = await ben.submit(thread_id, unique("Two must vote."))
    asked = {"contentHash": content_hash}
    assert await refused(ada, "cancelMessage", **asked) == ("NotAllowedNow", "UNAUTHORIZED")
    for field in ("cancelMessage", "expireMessage", "resolveMessage", "claimEscrow", "refundStake"):
        assert await refused(eve, field, **asked) == ("NotFound", "NOT_FOUND")
        assert await refused(ben, field, contentHash="ab" * 32) == ("NotFound", "NOT_FOUND")
    await cat.act("castVote", **asked, approve=False)
    assert await refused(ben, "cancelMessage", **asked) == ("NotAllowedNow", "HAS_VOTES")
    assert await refused(ben, "expireMessage", **asked) == ("NotAllowedNow", "WINDOW_OPEN")
    assert await refused(ben, "resolveMessage", **asked) == ("NotAllowedNow", "NOTHING_TO_DECIDE")
    await server.pass_window()
    assert await refused(ben, "cancelMessage", **asked) == ("NotAllowedNow", "WINDOW_CLOSED")
    assert await refused(ben, "resolveMessage", **asked) == ("NotAllowedNow", "WINDOW_CLOSED")


async def test_anybody_ends_a_message_that_is_overdue(server: RunningServer) -> None:
    """A stranger pays and signs alone; the outcome comes as an error, since the message stays hidden from them."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    secret = unique("Too late.")
    content_hash = await ben.submit(thread_id, secret)
    await server.pass_window()
    signed = await ben.signed("expireMessage", contentHash=content_hash, sponsor=eve)
    for token in (eve.token, None, eve.token):
        answer = await server.execute(operations.MUTATE["expireMessage"], {"input": signed}, token)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "VERIFIED" in answer["errors"][0]["message"]
        assert secret not in str(answer)
    shown = await ben.mutate("expireMessage", signed)
    check_verified(shown)
    assert shown["wallet"]["address"] == eve.address
    assert (shown["message"]["status"], shown["message"]["body"]) == ("EXPIRED", secret)
    assert await seen(ada, content_hash) == shown["message"]
    assert await refused(ada, "expireMessage", contentHash=content_hash) == ("NotAllowedNow", "NOT_PENDING")


@pytest.mark.parametrize(("approve", "status"), [(True, "PUBLISHED"), (False, "DENIED")])
async def test_a_message_is_decided_after_a_co_author_has_left(
    server: RunningServer, approve: bool, status: str
) -> None:
    """The vote that was missing is missed no longer: anybody has it evaluated again."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    content_hash = await ben.submit(thread_id, unique("Wait for it."))
    await ada.act("castVote", contentHash=content_hash, approve=approve)
    assert await refused(ada, "resolveMessage", contentHash=content_hash) == ("NotAllowedNow", "NOTHING_TO_DECIDE")
    left = await cat.act("divest", threadId=thread_id)
    check_verified(left)
    signed = await ada.signed("resolveMessage", contentHash=content_hash, sponsor=eve)
    answer = await eve.execute(operations.MUTATE["resolveMessage"], {"input": signed})
    if approve:
        assert answer["data"]["resolveMessage"]["message"]["body"].startswith("Wait for it.")
    else:
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    payload = await ben.mutate("resolveMessage", signed)
    check_verified(payload)
    assert payload["message"]["status"] == status
    assert payload["wallet"]["address"] == eve.address
    assert await seen(ada, content_hash) == payload["message"]


async def test_what_was_prepared_too_early_is_refused_by_the_program(server: RunningServer) -> None:
    """Votes, ends and payments that came first: the mutation answers as `prepare` would now, and nothing changes."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    voted, left = await ben.submit(thread_id, unique("Voted on.")), await ben.submit(thread_id, unique("Left alone."))
    cancel = await ben.signed("cancelMessage", contentHash=voted)
    ballot = await ada.signed("castVote", contentHash=voted, approve=False)
    swapped = await ben.mutate("cancelMessage", ballot)
    assert (swapped["__typename"], swapped["code"]) == ("TransactionInvalid", "WRONG_INSTRUCTION")
    await ada.mutate("castVote", ballot)
    late = await ben.mutate("cancelMessage", cancel)
    assert (late["__typename"], late["code"]) == ("NotAllowedNow", "HAS_VOTES")
    await cat.act("castVote", contentHash=voted, approve=False)
    await server.pass_window()
    twice = (
        ("claimEscrow", ada, voted, "ALREADY_CLAIMED"),
        ("expireMessage", ada, left, "NOT_PENDING"),
        ("refundStake", ben, left, "NOTHING_OWED"),
    )
    for field, actor, content_hash, code in twice:
        first = await actor.signed(field, contentHash=content_hash)
        second = await actor.signed(field, contentHash=content_hash, sponsor=cat)
        assert (await actor.mutate(field, first))["__typename"].endswith("Success")
        shown = await seen(ben, content_hash)
        late = await actor.mutate(field, second)
        assert (late["__typename"], late["code"]) == ("NotAllowedNow", code)
        assert await seen(ben, content_hash) == shown


async def test_a_cancellation_without_a_session_runs_and_shows_nothing(server: RunningServer) -> None:
    """The author's signature is enough to take a message back, and not to read it."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    secret = unique("Never mind.")
    content_hash = await ben.submit(thread_id, secret)
    signed = await ben.signed("cancelMessage", contentHash=content_hash)
    answer = await server.execute(operations.MUTATE["cancelMessage"], {"input": signed})
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "VERIFIED" in answer["errors"][0]["message"]
    assert secret not in str(answer)
    assert (await seen(ben, content_hash))["status"] == "CANCELLED"
