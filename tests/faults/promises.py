"""What must hold after every crash, checked through the graph and against the chain itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from chorale.domain.accounts import MessageAccount
from chorale.domain.cursors import event_cursor, event_position
from chorale.domain.events import EventPosition
from tests import operations
from tests.faults.onchain import OnChain
from tests.faults.writers import Deed
from tests.patience import PATIENCE
from tests.stack import Actor, Json, RunningServer

_LOOK = 0.05
_PASSING = {"VERSION_NOT_REACHED", "AUTHORITY_UNAVAILABLE", "STALE_READ"}
_MADE_BY_SERVER = ("UpdateVerified", "UpdateDiverged", "ContentRestored", "Gap")
_ENDS = {"PUBLISHED", "DENIED", "CANCELLED"}
_LATER = {"PENDING": {"PENDING", *_ENDS}} | {status: {status} for status in _ENDS}
_SEARCH_TEXT = (
    "query FindText($query: String!) { search(query: $query, mode: TEXT, first: 5) { nodes { contentHash status } } }"
)


class LostError(AssertionError):
    """What was acknowledged is gone."""


class ShownError(AssertionError):
    """What is not published was shown to somebody who may not see it."""


async def converged(server: RunningServer, chain: OnChain, thread_id: str) -> None:
    """Wait until the server has derived all that the chain says of a thread now, and answers from the authorities."""
    account = await chain.thread(thread_id)
    if account is None:
        return
    wanted = {"threadId": thread_id, "minVersion": account.sequence}
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        body = await server.execute(operations.READ_THREAD, wanted)
        if "errors" not in body and "stale" not in body.get("extensions", {}):
            return
        codes = {error["extensions"]["code"] for error in body.get("errors", ())}
        assert codes <= _PASSING, body["errors"]
        await asyncio.sleep(_LOOK)
    raise AssertionError(f"{thread_id} does not reach version {account.sequence}: {body}")


async def check_deed(server: RunningServer, chain: OnChain, deed: Deed, reader: Actor) -> bool:
    """An acknowledged deed is on chain with its content; any deed is whole or has happened to nobody but its author.

    Returns whether it is on chain. `reader` is a co-author of the thread.
    """
    if deed.verb == "createThread":
        return await _check_thread(server, chain, deed)
    if deed.verb == "divest":
        return await _check_seats(server, chain, deed)
    assert deed.content_hash is not None
    account = await chain.message(deed.thread_id, deed.content_hash)
    asked = {"contentHash": deed.content_hash}
    own = (await deed.author.ask(operations.READ_MESSAGE, asked))["message"]
    if account is None:
        _check_kept(deed, found=False)
        assert own is None or (own["status"], own["body"]) == ("STAGED", deed.body), own
        assert (await reader.ask(operations.READ_MESSAGE, asked))["message"] is None or reader is deed.author
        await _check_hidden(server, deed)
        return False
    landed = _has_landed(deed, account)
    if deed.status:
        _check_kept(deed, found=landed)
        assert account.status in _LATER[deed.status], (deed, account)
    await _check_message(server, deed, account, own, reader)
    return landed


def _check_kept(deed: Deed, *, found: bool) -> None:
    if deed.status and not found:
        raise LostError(f"acknowledged and not on chain: {deed}")


def _has_landed(deed: Deed, account: MessageAccount) -> bool:
    vote = account.vote_of(deed.author.address)
    match deed.verb:
        case "castVote":
            return vote is not None
        case "claimEscrow":
            return vote is not None and vote.claimed
        case "cancelMessage":
            return account.status == "CANCELLED"
        case "refundStake":
            return account.status == "CANCELLED" and account.escrow_remaining == 0
        case _:
            return True


async def check_events(
    chain: OnChain, thread_id: str, reader: Actor, *, made_by_server: Collection[str] = ("UpdateVerified",)
) -> int:
    """Every event since the thread's creation once, in order, at contiguous versions; what the server makes itself is
    among `made_by_server`. Returns how many."""
    seen = await events_of(reader, thread_id)
    cursors = [event["cursor"] for event in seen]
    assert len(set(cursors)) == len(cursors), seen
    own = [(event["__typename"], event["version"], event["signature"]) for event in seen]
    of_chain = [event for event in own if event[0] not in _MADE_BY_SERVER]
    assert of_chain == await chain.events(thread_id)
    versions = [version for _, version, _ in of_chain]
    assert sorted(set(versions)) == list(range(1, versions[-1] + 1)), versions
    made = [event for event in own if event[0] in _MADE_BY_SERVER]
    assert {name for name, _, _ in made} <= set(made_by_server), made
    verified = [signature for name, _, signature in made if name == "UpdateVerified"]
    assert len(set(verified)) == len(verified), made
    return len(of_chain)


async def check_nothing_leaks(server: RunningServer, chain: OnChain, thread_id: str) -> None:
    """An anonymous reader of a thread is shown what the chain calls published, all of it and nothing else."""
    thread = (await server.data_of(operations.READ_THREAD, {"threadId": thread_id}))["thread"]
    shown = thread["messages"]["nodes"]
    account = await chain.thread(thread_id)
    assert account is not None
    assert (thread["version"], thread["contentRoot"]) == (account.sequence, account.content_root)
    if not {message["status"] for message in shown} <= {"PUBLISHED"}:
        raise ShownError(str(shown))
    assert sorted(message["leafIndex"] for message in shown) == list(range(account.published_count)), shown


async def _check_thread(server: RunningServer, chain: OnChain, deed: Deed) -> bool:
    account = await chain.thread(deed.thread_id)
    thread = (await server.data_of(operations.READ_THREAD, {"threadId": deed.thread_id}))["thread"]
    if account is None:
        _check_kept(deed, found=False)
        assert thread is None
        return False
    assert (thread["title"], thread["version"]) == (deed.body, account.sequence)
    return True


async def _check_seats(server: RunningServer, chain: OnChain, deed: Deed) -> bool:
    account = await chain.thread(deed.thread_id)
    assert account is not None
    left = not account.has_co_author(deed.author.address)
    _check_kept(deed, found=left)
    thread = (await server.data_of(operations.READ_THREAD, {"threadId": deed.thread_id}))["thread"]
    seats = [seat["user"]["address"] for seat in thread["coAuthors"]]
    assert seats == [co_author.key for co_author in account.co_authors]
    assert thread["tokenBalance"]["amount"] == str(account.token_balance)
    return left


async def _check_message(
    server: RunningServer, deed: Deed, account: MessageAccount, own: Json | None, reader: Actor
) -> None:
    seen = (await reader.ask(operations.READ_MESSAGE, {"contentHash": deed.content_hash}))["message"]
    for message in (own, seen):
        assert message is not None, deed
        assert message["status"] == account.status, (deed, message)
        assert message["contentState"] == "AVAILABLE", (deed, message)
        assert message["body"] == deed.body or not deed.body, (deed, message)
        assert message["escrowRemaining"]["amount"] == str(account.escrow_remaining), (deed, message)
        assert [vote["voter"]["address"] for vote in message["votes"]] == [vote.voter for vote in account.votes]
    assert own is not None
    if account.status == "PUBLISHED":
        found = (await server.data_of(_SEARCH_TEXT, {"query": own["body"]}))["search"]["nodes"]
        assert deed.content_hash in {node["contentHash"] for node in found}, (deed, found)
    else:
        await _check_hidden(server, deed)


async def _check_hidden(server: RunningServer, deed: Deed) -> None:
    seen = (await server.data_of(operations.READ_MESSAGE, {"contentHash": deed.content_hash}))["message"]
    if seen is not None:
        raise ShownError(f"{deed}: {seen}")
    if deed.body:
        found = (await server.data_of(_SEARCH_TEXT, {"query": deed.body}))["search"]["nodes"]
        if deed.content_hash in {node["contentHash"] for node in found}:
            raise ShownError(f"{deed}: {found}")
        if not {node["status"] for node in found} <= {"PUBLISHED"}:
            raise ShownError(str(found))


async def events_of(reader: Actor, thread_id: str) -> list[Json]:
    """All that a thread's log tells a subscriber who has nothing of it."""
    asked = {"threadId": thread_id}
    end = (await reader.ask("query End($threadId: Hash!) { thread(threadId: $threadId) { eventCursor } }", asked))[
        "thread"
    ]["eventCursor"]
    # The place before everything, as a cursor of a log that is not this one: how a client moves between replicas.
    start = event_cursor(EventPosition("another", 0, thread_id, 0, 0))
    seen: list[Json] = []
    async with reader.subscribed(operations.EVENTS, {"threadId": thread_id, "after": start}) as events:
        try:
            while not seen or seen[-1]["cursor"] != end:
                seen.append((await events.next())["threadEvents"])
        except TimeoutError as error:
            raise AssertionError(f"no event with the cursor {event_position(end)}: {seen}") from error
    return seen
