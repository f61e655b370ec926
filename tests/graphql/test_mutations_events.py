"""What happens to a message or a seat reaches the thread's subscribers once, and who resumes misses nothing."""

from __future__ import annotations

from collections import Counter

from tests import operations
from tests.graphql.test_mutations_endings import joined
from tests.stack import Json, RunningServer, Subscribed, unique

LAST = "CoAuthorLeft"
EXPECTED = {
    "MessageCancelled": 1,
    "StakeRefunded": 2,
    "MessageExpired": 1,
    "MessageDecided": 1,
    "EscrowClaimed": 2,
    LAST: 1,
}


async def test_each_step_is_one_event(server: RunningServer) -> None:
    """A co-author, who sees everything, gets each event once, with what it says; resuming gives the same rest."""
    ada, ben = await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    cat = await joined(server, thread_id, ada)
    start = (await ada.ask(operations.READ_THREAD, {"threadId": thread_id}))["thread"]["eventCursor"]
    async with ada.subscribed(operations.EVENTS, {"threadId": thread_id, "after": start}) as live:
        cancelled = await ben.submit(thread_id, unique("Never mind."))
        await ben.act("cancelMessage", contentHash=cancelled)
        await ben.act("refundStake", contentHash=cancelled)
        denied = await ben.submit(thread_id, unique("No."))
        for voter in (ada, cat):
            await voter.act("castVote", contentHash=denied, approve=False)
        for voter in (ada, cat):
            await voter.act("claimEscrow", contentHash=denied)
        expired = await ben.submit(thread_id, unique("Too late."))
        await server.pass_window()
        await ada.act("expireMessage", contentHash=expired)
        await ben.act("refundStake", contentHash=expired)
        await cat.act("divest", threadId=thread_id)
        heard = await until_left(live)
    assert {kind: count for kind, count in Counter(kinds(heard)).items() if kind in EXPECTED} == EXPECTED
    by_kind = {event["__typename"]: event for event in heard}
    assert by_kind["MessageCancelled"]["message"] == {"contentHash": cancelled, "status": "CANCELLED"}
    assert by_kind["MessageExpired"]["message"] == {"contentHash": expired, "status": "EXPIRED"}
    assert by_kind["StakeRefunded"]["amount"]["amount"] == "1000000"
    claims = [event for event in heard if event["__typename"] == "EscrowClaimed"]
    assert [claim["claimant"]["address"] for claim in claims] == [ada.address, cat.address]
    assert {claim["amount"]["amount"] for claim in claims} == {"500000"}
    assert (by_kind[LAST]["user"]["address"], by_kind[LAST]["amount"]["amount"]) == (cat.address, "500000")

    at = kinds(heard).index("EscrowClaimed")
    async with ada.subscribed(operations.EVENTS, {"threadId": thread_id, "after": heard[at]["cursor"]}) as again:
        resumed = await until_left(again)
    assert [event["cursor"] for event in resumed] == [event["cursor"] for event in heard[at + 1 :]]


async def test_what_is_hidden_is_no_event(server: RunningServer) -> None:
    """A stranger hears of the seat that became free, and of no message that never was published."""
    ada, ben, eve = await server.actor(), await server.actor(), await server.actor()
    thread_id = await ada.create_thread()
    start = (await eve.ask(operations.READ_THREAD, {"threadId": thread_id}))["thread"]["eventCursor"]
    async with eve.subscribed(operations.EVENTS, {"threadId": thread_id, "after": start}) as live:
        content_hash = await ben.submit(thread_id, unique("Never mind."))
        await ben.act("cancelMessage", contentHash=content_hash)
        await ben.act("refundStake", contentHash=content_hash)
        await ada.act("divest", threadId=thread_id)
        heard = await until_left(live)
    assert not set(kinds(heard)) & {"MessageSubmitted", "MessageCancelled", "StakeRefunded"}


async def until_left(live: Subscribed) -> list[Json]:
    """Events up to the one that somebody left."""
    heard: list[Json] = []
    while not heard or heard[-1]["__typename"] != LAST:
        heard.append((await live.next())["threadEvents"])
    return heard


def kinds(events: list[Json]) -> list[str]:
    """Names of their types."""
    return [event["__typename"] for event in events]
