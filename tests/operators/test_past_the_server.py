"""What other clients do to the protocol and the treasury is told like the server's own, also after a restart."""

from __future__ import annotations

import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from programs import instructions
from programs.addresses import TOKEN_PROGRAM
from tests import operations
from tests.operators.people import deposit, explained, split, sweep, treasury
from tests.operators.test_configure import set_past_the_server
from tests.stack import Actor, RunningServer, running_stack

UPDATE = f"query Update($signature: Signature!) {{ stateUpdate(signature: $signature) {{ {operations.UPDATE} }} }}"

FOLLOW = UPDATE.replace("query Update", "subscription Follow")


async def ended(server: RunningServer, signature: str) -> Any:
    """How an update ended, followed to its end."""
    async with server.subscribed(FOLLOW, {"signature": signature}) as updates:
        while True:
            state = (await updates.next())["stateUpdate"]
            if state["outcome"] not in ("RUNNING", "CONFIRMED", "UNKNOWN"):
                return state


async def test_a_sweep_and_a_deposit_in_one_transaction_are_two_flows(house: RunningServer) -> None:
    """The balance tells their sum, the event tells them apart."""
    ana, thread_id = await split(house, 2_500_000)
    chain = house.chain
    source = chain.addresses.associated_token_account(ana.address, chain.mint)
    keys = [Pubkey.from_string(key) for key in (source, chain.addresses.treasury())]
    metas = [AccountMeta(key, False, True) for key in keys] + [AccountMeta(ana.keypair.pubkey(), True, False)]
    transfer = Instruction(Pubkey.from_string(TOKEN_PROGRAM), b"\x03" + (99).to_bytes(8, "little"), metas)
    swept = instructions.sweep(chain.addresses, thread_id=thread_id)
    signature = await chain.send([swept, transfer], [ana.keypair])
    found = (await explained(house))["flows"]["nodes"]
    of_it = {(flow["__typename"], flow["amount"]["amount"]) for flow in found if flow["signature"] == signature}
    assert of_it == {("TreasurySweep", "2500000"), ("TreasuryDeposit", "99")}


async def test_a_landed_withdrawal_may_be_sent_again(house: RunningServer, admin: Actor) -> None:
    """By the admin who signed it: one payment, one result. A stranger learns nothing new from it."""
    await deposit(house, await house.actor(), 50)
    signed = await admin.signed("withdrawTreasury", amount="20")
    first = await admin.mutate("withdrawTreasury", signed)
    again = await admin.mutate("withdrawTreasury", signed)
    assert (again["__typename"], again["update"]["signature"]) == (first["__typename"], first["update"]["signature"])
    assert again["treasury"]["withdrawn"] == first["treasury"]["withdrawn"]
    keyed = [
        await admin.mutate(
            "withdrawTreasury", await admin.signed("withdrawTreasury", amount="5") | {"idempotencyKey": "a payment"}
        )
        for _ in range(2)
    ]
    assert keyed[0]["update"]["signature"] == keyed[1]["update"]["signature"]
    assert (await treasury(house))["withdrawn"] == keyed[0]["treasury"]["withdrawn"]


async def test_a_failed_withdrawal_is_rejected_and_no_flow(house: RunningServer, admin: Actor) -> None:
    """Sent past the server without a dry run, it lands and fails."""
    before = await explained(house)
    destination = house.chain.addresses.associated_token_account(admin.address, house.chain.mint)
    part = instructions.withdraw_treasury(
        house.chain.addresses, admin=admin.address, destination=destination, amount=2**60
    )
    raw = await house.chain.sign([part], [admin.keypair])
    options = {"encoding": "base64", "skipPreflight": True}
    signature = await house.chain.rpc("sendTransaction", b64encode(raw).decode(), options)
    assert (await ended(house, signature))["outcome"] == "REJECTED"
    now = await explained(house)
    assert (now["flows"], now["version"]) == (before["flows"], before["version"])


@pytest.mark.faults
async def test_nothing_is_lost_by_a_restart_or_a_rebuild(tmp_path: Path, models: Path) -> None:
    """The same flows, changes and escrow after a kill, without the index, and with a day's work done meanwhile."""
    with running_stack(tmp_path / "data", models) as server:
        admin = Actor(server, server.chain.admin)
        await admin.sign_in()
        await sweep(server, 3_000_000)
        await deposit(server, await server.actor(), 444)
        paid = await admin.act("withdrawTreasury", amount="1000")
        await admin.act("configure", minimumStake="1500000")
        past = await set_past_the_server(server, 1_600_000, 90_000)
        ana, _ = await owing(server)
        assert (await ended(server, past))["outcome"] == "VERIFIED"
        before = await everything(server, ana)

        server.kill()
        server.start()
        assert await everything(server, ana) == before
        for signature in (past, paid["update"]["signature"]):
            assert (await ended(server, signature))["outcome"] == "VERIFIED"

        server.stop()
        shutil.rmtree(server.data / "index")
        server.start()
        assert await everything(server, ana) == before
        state = (await server.data_of(UPDATE, {"signature": past}))["stateUpdate"]
        assert state["outcome"] == "VERIFIED"

        server.stop()
        shutil.rmtree(server.data / "index")
        for path in server.data.glob("sessions.sqlite3*"):
            path.unlink()
        server.start()
        await ana.sign_in()
        assert (await ended(server, past))["outcome"] == "VERIFIED"  # from the chain alone
        assert await everything(server, ana) == before


async def owing(server: RunningServer) -> tuple[Actor, str]:
    """A thread that owes a denier; its creator."""
    ana, eve = await server.actor(), await server.actor()
    thread_id = await ana.create_thread("A thread in debt")
    denied = await eve.submit(thread_id, "Buy watches.", 20_000_000)
    await ana.act("castVote", contentHash=denied, approve=False)
    return ana, thread_id


async def everything(server: RunningServer, viewer: Actor) -> Any:
    """Answers to all questions about the protocol, without the slots of the reading."""
    escrow = """query { threads(first: 20) { nodes { threadId escrow { total { amount } visible { amount }
      nodes { contentHash escrowShares { claimant { address } amount { amount } claimed } } } } } }"""
    money = await explained(server, first=100)
    del money["slot"]
    protocol = (await server.data_of(operations.READ_PROTOCOL, {"first": 100}))["protocol"]
    return money, protocol, await viewer.ask(escrow)
