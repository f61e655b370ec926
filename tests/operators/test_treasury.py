"""The treasury's flows are what the chain's history says, and together they are the balance."""

from __future__ import annotations

from typing import Any

from programs.events import events_in
from tests.operators.people import deposit, explained, sweep, treasury
from tests.stack import Actor, RunningServer

_CONFIG = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0, "encoding": "json"}
_SIGNS = {"TreasurySweep": 1, "TreasuryDeposit": 1, "TreasuryWithdrawal": -1}


async def history(house: RunningServer) -> list[tuple[int, str, str, int]]:
    """Slot, type, signature and amount of every flow, newest first, told by another client from the chain alone."""
    address, flows = house.chain.addresses.treasury(), []
    for entry in await house.chain.rpc("getSignaturesForAddress", address, {"commitment": "confirmed"}):
        answer = await house.chain.rpc("getTransaction", entry["signature"], _CONFIG)
        meta, keys = answer["meta"], answer["transaction"]["message"]["accountKeys"]
        if meta["err"] is not None:
            continue

        def held(balances: list[Any], at: int = keys.index(address)) -> int:
            return sum(int(each["uiTokenAmount"]["amount"]) for each in balances if each["accountIndex"] == at)

        rest = held(meta["postTokenBalances"]) - held(meta["preTokenBalances"])
        for event in events_in(meta["logMessages"], house.chain.program_id)[0]:
            if event.name in ("Swept", "TreasuryWithdrawn"):
                kind = "TreasurySweep" if event.name == "Swept" else "TreasuryWithdrawal"
                amount = int(event.fields["amount"])
                rest -= amount * _SIGNS[kind]
                flows.append((answer["slot"], kind, entry["signature"], amount))
        if rest:
            flows.append((answer["slot"], "TreasuryDeposit", entry["signature"], rest))
    return sorted(flows, key=lambda flow: (flow[0], flow[2]), reverse=True)


def plain(flows: list[Any]) -> list[tuple[int, str, str, int]]:
    """Flows of the graph in the same shape."""
    return [(flow["slot"], flow["__typename"], flow["signature"], int(flow["amount"]["amount"])) for flow in flows]


async def test_flows_are_those_of_the_chain(house: RunningServer, admin: Actor) -> None:
    """Sweeps, withdrawals and unasked deposits, each with its transaction; their sum is the balance."""
    thread_id, swept = await sweep(house, 3_000_001)
    paid = await admin.act("withdrawTreasury", amount="1000000")
    sent = await deposit(house, await house.actor(), 777)
    found = await explained(house)
    assert plain(found["flows"]["nodes"]) == await history(house)
    by_signature = {flow["signature"]: flow for flow in found["flows"]["nodes"]}
    assert by_signature[swept]["thread"] == {"threadId": thread_id, "title": "A thread with quarrels"}
    assert by_signature[sent]["__typename"] == "TreasuryDeposit"
    withdrawal = by_signature[paid["update"]["signature"]]
    assert withdrawal["admin"]["address"] == admin.address
    destination = house.chain.addresses.associated_token_account(admin.address, house.chain.mint)
    assert (withdrawal["destination"], withdrawal["version"]) == (destination, paid["protocol"]["version"])
    balance = sum(amount * _SIGNS[kind] for _, kind, _, amount in plain(found["flows"]["nodes"]))
    assert found["balance"]["amount"] == str(balance)


async def test_a_sweep_is_among_the_flows_when_its_mutation_answers(house: RunningServer) -> None:
    """Whoever asks from then on sees it, at once and explained."""
    before = await explained(house)
    _, signature = await sweep(house, 2_000_000)
    now = await treasury(house)
    assert signature in [flow["signature"] for flow in now["flows"]["nodes"]]
    assert int(now["swept"]["amount"]) == int(before["swept"]["amount"]) + 2_000_000
    assert now["unexplainedIn"] == now["unexplainedOut"] == {"amount": "0"}


async def test_a_deposit_is_told_as_unexplained_until_it_is_found(house: RunningServer) -> None:
    """The balance is the chain's from the first moment; the flow comes with the next look at the treasury."""
    await explained(house)
    signature = await deposit(house, await house.actor(), 1_234)
    at_once = await treasury(house)
    listed = [flow["signature"] for flow in at_once["flows"]["nodes"]]
    assert signature in listed or at_once["unexplainedIn"]["amount"] == "1234"
    assert signature in [flow["signature"] for flow in (await explained(house))["flows"]["nodes"]]


async def test_pages_run_both_ways(house: RunningServer) -> None:
    """The same order forward and backward, one by one and in twos, and a limit on the size of a page."""
    for amount in (5, 6, 7):
        await deposit(house, await house.actor(), amount)
    whole = [flow["signature"] for flow in (await explained(house))["flows"]["nodes"]]
    assert len(whole) >= 3
    for size in (1, 2):
        forward: list[str] = []
        backward: list[str] = []
        after = before = None
        while True:
            page = (await treasury(house, first=size, after=after))["flows"]
            forward += [flow["signature"] for flow in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            assert page["pageInfo"]["hasPreviousPage"] is (len(forward) > size)
            if not page["pageInfo"]["hasNextPage"]:
                break
        while True:
            page = (await treasury(house, last=size, before=before))["flows"]
            backward = [flow["signature"] for flow in page["nodes"]] + backward
            before = page["pageInfo"]["startCursor"]
            if not page["pageInfo"]["hasPreviousPage"]:
                break
        assert forward == backward == whole
    for paging in ({"first": 101}, {"first": 0}, {"first": 1, "last": 1}, {"first": 1, "after": "bm9wZQ"}):
        body = await house.execute(
            "query ($first: Int, $last: Int, $after: Cursor) { treasury { "
            "flows(first: $first, last: $last, after: $after) { nodes { signature } } } }",
            paging,
        )
        assert body["errors"][0]["extensions"]["code"] == "INVALID_INPUT"
