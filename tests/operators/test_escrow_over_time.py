"""Escrow through its mutations: what expires or is cancelled is owed to its author until it is refunded."""

from __future__ import annotations

from typing import Any

from tests.stack import Actor, RunningServer

ESCROW = """query Escrow($threadId: Hash!) { thread(threadId: $threadId) {
  escrowTotal { amount }
  escrow { total { amount } visible { amount }
    nodes { contentHash status escrowRefund { amount } escrowShares { claimed } } } } }"""


async def owed(viewer: Actor, thread_id: str) -> tuple[dict[str, tuple[str, str]], int]:
    """Status and refund of what is listed, by content hash, and what the thread owes in all."""
    thread: Any = (await viewer.ask(ESCROW, {"threadId": thread_id}))["thread"]
    assert thread["escrow"]["total"] == thread["escrowTotal"]
    nodes = thread["escrow"]["nodes"]
    assert all(node["escrowShares"] == [] for node in nodes)
    assert sum(int(node["escrowRefund"]["amount"]) for node in nodes) == int(thread["escrow"]["visible"]["amount"])
    listed = {node["contentHash"]: (node["status"], node["escrowRefund"]["amount"]) for node in nodes}
    return listed, int(thread["escrowTotal"]["amount"])


async def test_expired_and_cancelled_stakes_are_owed_until_they_are_refunded(house: RunningServer) -> None:
    """From the decision to the refund, each on its own, by the account as its mutation left it."""
    ana, dan = await house.actor(), await house.actor()
    thread_id = await ana.create_thread()
    late = await dan.submit(thread_id, "Nobody will have time for this.", 30_000_000)
    taken = await dan.submit(thread_id, "I do not mean it.", 20_000_000)
    assert await owed(ana, thread_id) == ({}, 0)
    await dan.act("cancelMessage", contentHash=taken)
    assert await owed(ana, thread_id) == ({taken: ("CANCELLED", "20000000")}, 20_000_000)
    await house.pass_window()
    await ana.act("expireMessage", contentHash=late)
    expected = {taken: ("CANCELLED", "20000000"), late: ("EXPIRED", "30000000")}
    assert await owed(ana, thread_id) == (expected, 50_000_000)
    eve = await house.actor()
    assert await owed(eve, thread_id) == ({}, 50_000_000)
    await dan.act("refundStake", contentHash=late)
    assert await owed(dan, thread_id) == ({taken: ("CANCELLED", "20000000")}, 20_000_000)
    await dan.act("refundStake", contentHash=taken)
    assert await owed(ana, thread_id) == ({}, 0)
