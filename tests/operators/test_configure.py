"""configure: parameters and admin change for everyone at once, by the admin alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from secrets import randbelow
from typing import Any

import pytest
from solders.compute_budget import set_compute_unit_limit

from programs import instructions
from tests import operations
from tests.stack import Actor, RunningServer

DAY = 86_400


@pytest.fixture(autouse=True)
async def put_back(house: RunningServer, admin: Actor) -> AsyncIterator[None]:
    """The parameters and the admin as they were, past the server."""
    before = (await house.data_of(operations.READ_PROTOCOL))["protocol"]
    yield
    after = (await house.data_of(operations.READ_PROTOCOL))["protocol"]
    assert after["admin"] == admin.address
    if (after["minimumStake"], after["approvalWindowSeconds"]) == (
        before["minimumStake"],
        before["approvalWindowSeconds"],
    ):
        return
    await set_past_the_server(house, int(before["minimumStake"]["amount"]), before["approvalWindowSeconds"])


async def set_past_the_server(house: RunningServer, minimum_stake: int, window: int) -> str:
    """configure by another client; the signature."""
    chain, key = house.chain, str(house.chain.admin.pubkey())
    part = instructions.configure(
        chain.addresses, admin=key, new_admin=key, minimum_stake=minimum_stake, approval_window=window
    )
    # A limit that no other transaction has: twice the same on one blockhash would be one transaction.
    return await chain.send([set_compute_unit_limit(100_000 + randbelow(900_000)), part], [chain.admin])


async def protocol(house: RunningServer) -> Any:
    """The protocol as anybody sees it."""
    return (await house.data_of(operations.READ_PROTOCOL))["protocol"]


async def test_parameters_hold_at_once_and_are_listed(house: RunningServer, admin: Actor) -> None:
    """The payload, every later answer, and the next preparation have them; the changes tell them over time."""
    payload = await admin.act("configure", minimumStake="5000000", approvalWindowSeconds=2 * DAY)
    assert payload["update"]["outcome"] == "VERIFIED"
    assert [step["state"] for step in payload["update"]["steps"]] == ["DONE"] * 4
    assert payload["wallet"]["address"] == admin.address
    assert payload["protocol"]["minimumStake"] == {"amount": "5000000"}
    assert payload["treasury"]["version"] == payload["protocol"]["version"]
    now = await protocol(house)
    newest = now["changes"]["nodes"][0]
    assert (newest["version"], newest["signature"]) == (now["version"], payload["update"]["signature"])
    assert (newest["minimumStake"]["amount"], newest["approvalWindowSeconds"]) == ("5000000", 2 * DAY)
    assert now["missingChanges"] == 0

    eve = await house.actor()
    ana = await house.actor()
    thread_id = await ana.create_thread()
    refused = await eve.prepare("submitMessage", threadId=thread_id, body="Too cheap", stake="4999999")
    assert (refused["__typename"], refused["code"]) == ("StakeTooLow", "STAKE_TOO_LOW")
    message = await eve.act("submitMessage", threadId=thread_id, body="Dear enough", stake="5000000")
    query = "query ($hash: Hash!) { message(contentHash: $hash) { submittedAt expiresAt } }"
    times = (await eve.ask(query, {"hash": message["message"]["contentHash"]}))["message"]
    opened, closed = (datetime.fromisoformat(times[name]) for name in ("submittedAt", "expiresAt"))
    assert closed - opened == timedelta(days=2)
    kept = await admin.act("configure", minimumStake="6000000")
    assert kept["protocol"]["approvalWindowSeconds"] == 2 * DAY  # what is left out stays


async def test_what_another_client_sets_holds_at_once(house: RunningServer) -> None:
    """A preparation reads the chain, and the history follows it."""
    ana, eve = await house.actor(), await house.actor()
    thread_id = await ana.create_thread()
    signature = await set_past_the_server(house, 9_000_000, 5 * DAY)
    refused = await eve.prepare("submitMessage", threadId=thread_id, body="Too cheap", stake="8999999")
    assert refused["code"] == "STAKE_TOO_LOW"
    now = await protocol(house)
    assert now["minimumStake"]["amount"] == "9000000"
    assert now["changes"]["nodes"][0]["signature"] == signature
    query = "query ($signature: Signature!) { stateUpdate(signature: $signature) { outcome steps { state } } }"
    async with eve.subscribed(
        "subscription ($signature: Signature!) { stateUpdate(signature: $signature) { outcome } }",
        {"signature": signature},
    ) as updates:
        outcome = None
        while outcome != "VERIFIED":
            outcome = (await updates.next())["stateUpdate"]["outcome"]
    assert (await eve.ask(query, {"signature": signature}))["stateUpdate"]["outcome"] == "VERIFIED"


async def test_the_role_is_handed_over_with_both_signatures(house: RunningServer, admin: Actor) -> None:
    """Who is missing is named; the new admin may then do what the old one no longer may."""
    heir = await house.actor()
    prepared = await admin.prepare("configure", admin=heir.address)
    half = {"signedTransaction": admin.sign(prepared["transaction"])}
    refused = await admin.mutate("configure", half)
    assert (refused["__typename"], refused["code"]) == ("TransactionInvalid", "SIGNATURE_MISSING")
    assert heir.address in refused["explanation"]
    whole = {"signedTransaction": heir.sign(half["signedTransaction"])}
    payload = await admin.mutate("configure", whole)
    assert payload["protocol"]["admin"] == heir.address
    again = await admin.mutate("configure", whole)  # the former admin asks for the result again
    assert again["update"]["signature"] == payload["update"]["signature"]

    assert code(await admin.execute(operations.PREPARE["configure"], {"wallet": admin.address})) == "FORBIDDEN"
    listed = (await protocol(house))["changes"]["nodes"]
    assert listed[0]["admin"]["address"] == heir.address
    back = await heir.prepare("configure", admin=admin.address)
    returned = await heir.mutate("configure", {"signedTransaction": admin.sign(heir.sign(back["transaction"]))})
    assert returned["protocol"]["admin"] == admin.address


async def test_strangers_are_refused(house: RunningServer, admin: Actor) -> None:
    """Not signed in, signed in as another, with another's transaction, with an own one: nothing changes."""
    before = await protocol(house)
    eve = await house.actor()
    signed = await admin.signed("configure", minimumStake="1")
    mutation = operations.MUTATE["configure"]
    assert code(await house.execute(mutation, {"input": signed})) == "UNAUTHENTICATED"
    assert code(await eve.execute(mutation, {"input": signed})) == "FORBIDDEN"
    assert code(await eve.execute(operations.PREPARE["configure"], {"wallet": eve.address})) == "FORBIDDEN"
    assert code(await eve.execute(operations.PREPARE["configure"], {"wallet": admin.address})) == "FORBIDDEN"
    assert code(await house.execute(operations.PREPARE["configure"], {"wallet": admin.address})) == "UNAUTHENTICATED"
    prepared = await admin.ask(operations.PREPARE["configure"], {"wallet": eve.address})
    assert prepared["prepare"]["configure"]["code"] == "UNAUTHORIZED"

    part = instructions.configure(
        house.chain.addresses, admin=eve.address, new_admin=eve.address, minimum_stake=1, approval_window=DAY
    )
    forged = {"signedTransaction": base64(await house.chain.sign([part], [eve.keypair]))}
    assert code(await eve.execute(mutation, {"input": forged})) == "FORBIDDEN"
    refused = await admin.mutate("configure", forged)
    assert (refused["__typename"], refused["code"]) == ("TransactionInvalid", "UNAUTHORIZED")
    assert await protocol(house) == before


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"minimumStake": "0"}, "minimumStake"),
        ({"approvalWindowSeconds": 3_599}, "approvalWindowSeconds"),
        ({"approvalWindowSeconds": 2_592_001}, "approvalWindowSeconds"),
    ],
)
async def test_parameters_out_of_range_are_named(admin: Actor, arguments: dict[str, Any], field: str) -> None:
    """Told before anything is signed."""
    refused = await admin.prepare("configure", **arguments)
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", field)


async def test_changes_are_paged_both_ways(house: RunningServer, admin: Actor) -> None:
    """Newest first, every version of the parameters once, the first ones last."""
    for stake in ("1000001", "1000002"):
        await admin.act("configure", minimumStake=stake)
    whole = [node["version"] for node in (await protocol(house))["changes"]["nodes"]]
    assert whole == sorted(whole, reverse=True)
    assert whole[-1] == 1
    forward: list[int] = []
    backward: list[int] = []
    after = before = None
    for _ in whole:
        page = (await house.data_of(operations.READ_PROTOCOL, {"first": 1, "after": after}))["protocol"]["changes"]
        forward += [node["version"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        page = (await house.data_of(operations.READ_PROTOCOL, {"last": 1, "before": before}))["protocol"]["changes"]
        backward += [node["version"] for node in page["nodes"]]
        before = page["pageInfo"]["startCursor"]
    assert forward == backward[::-1] == whole


def code(body: Any) -> str:
    """Code of the one error in a response without data."""
    assert body["data"] is None
    [error] = body["errors"]
    found: str = error["extensions"]["code"]
    return found


def base64(raw: bytes) -> str:
    """As the graph takes bytes."""
    return b64encode(raw).decode()
