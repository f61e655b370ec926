"""Escrow: who may claim what of a denied message, what an author may have back, and what a thread owes in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from programs import instructions
from programs.accounts import decode_thread
from tests.graphql.stack import Stack
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Draft, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAKE = 3_000_001
ESCROW = """query ($id: Hash!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) { thread(threadId: $id) {
  version escrowTotal { amount }
  escrow(first: $first, after: $after, last: $last, before: $before) {
    total { amount } visible { amount } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { contentHash } }
    nodes { contentHash version decidedAt escrowRemaining { amount } escrowRefund { amount } body
      escrowShares { claimant { address } amount { amount } claimed } } } } }"""


@dataclass(frozen=True)
class Debts:
    """A thread of Ana's and Ben's that has denied Cara twice, and from which Dan has taken a message back."""

    parts: Parts
    ana: Actor
    ben: Actor
    cara: Actor
    dan: Actor
    thread_id: str
    denied: tuple[Draft, Draft]
    cancelled: Draft

    async def claim(self, actor: Actor, draft: Draft) -> None:
        """A denier takes a share."""
        await actor.send(
            instructions.claim(
                self.parts.running.addresses,
                payee=actor.key,
                destination=actor.tokens,
                thread_id=self.thread_id,
                content_hash=draft.hash,
            )
        )

    async def refund(self) -> None:
        """Dan's stake goes back."""
        await self.dan.send(
            instructions.refund(
                self.parts.running.addresses,
                payee=self.dan.key,
                destination=self.dan.tokens,
                thread_id=self.thread_id,
                content_hash=self.cancelled.hash,
            )
        )


@pytest_asyncio.fixture(loop_scope="session")
async def debts(parts: Parts) -> Debts:
    running = parts.running
    ana, ben, cara, dan = [Actor(running, await running.wallet()) for _ in range(4)]
    thread = ana.thread("Debts")
    thread_id = thread.content.key.thread_id
    joins, taken = ben.submit(thread_id, "Let me in."), dan.submit(thread_id, "Never mind.", STAKE)
    denied = (cara.submit(thread_id, "Buy watches.", STAKE), cara.submit(thread_id, "Buy more watches.", STAKE))
    for actor, draft in ((ana, thread), (ben, joins)):
        await parts.stage(draft.content)
        await actor.send(draft.instruction)
    await ana.send(ana.vote(thread_id, joins.hash, approve=True))
    for draft in denied:
        await parts.stage(draft.content)
        await cara.send(draft.instruction)
        for actor in (ana, ben):
            await actor.send(actor.vote(thread_id, draft.hash, approve=False))
    await parts.stage(taken.content)
    await dan.send(taken.instruction)
    await dan.send(instructions.cancel(running.addresses, author=dan.key, thread_id=thread_id, content_hash=taken.hash))
    return Debts(parts, ana, ben, cara, dan, thread_id, denied, taken)


async def escrow(stack: Stack, debts: Debts, viewer: Actor | None, **paging: Any) -> Any:
    """The thread's escrow as `viewer` sees it."""
    data = await stack.ask(ESCROW, None if viewer is None else viewer.key, id=debts.thread_id, **paging)
    found = data["thread"]
    assert found["escrow"]["total"] == found["escrowTotal"]
    assert {node["version"] for node in found["escrow"]["nodes"]} <= {found["version"]}
    owed = sum(int(node["escrowRemaining"]["amount"]) for node in found["escrow"]["nodes"])
    assert owed <= int(found["escrow"]["visible"]["amount"]) <= int(found["escrowTotal"]["amount"])
    return found["escrow"]


def node_of(escrow: Any, draft: Draft) -> Any:
    """The message of `draft` among those listed."""
    return next(node for node in escrow["nodes"] if node["contentHash"] == draft.hash)


def shares(node: Any) -> dict[str, tuple[str, bool]]:
    """Amount and whether it is claimed, by denier."""
    return {
        share["claimant"]["address"]: (share["amount"]["amount"], share["claimed"]) for share in node["escrowShares"]
    }


async def test_what_is_owed_goes_down_to_nothing(stack: Stack, debts: Debts) -> None:
    """Deny, partial claims, all claimed; a cancelled message owes its stake until it is refunded."""
    ana, ben, dan = debts.ana, debts.ben, debts.dan
    first, second = debts.denied
    each = str(STAKE // 2)
    now = await escrow(stack, debts, ana)
    order = [(node["decidedAt"], node["contentHash"]) for node in now["nodes"]]
    assert order == sorted(order)
    assert {of for _, of in order} == {first.hash, second.hash, debts.cancelled.hash}
    assert now["visible"] == now["total"] == {"amount": str(4 * (STAKE // 2) + STAKE)}
    assert shares(node_of(now, first)) == {ana.key: (each, False), ben.key: (each, False)}
    assert node_of(now, first)["escrowRefund"]["amount"] == "0"
    assert node_of(now, first)["body"] == "Buy watches."
    assert node_of(now, debts.cancelled)["escrowRefund"]["amount"] == str(STAKE)
    assert shares(node_of(now, debts.cancelled)) == {}

    await debts.claim(ben, first)
    now = await escrow(stack, debts, ana)
    assert shares(node_of(now, first)) == {ana.key: (each, False), ben.key: (each, True)}
    assert node_of(now, first)["escrowRemaining"]["amount"] == each

    await debts.claim(ana, first)
    await debts.refund()
    now = await escrow(stack, debts, ana)
    assert [node["contentHash"] for node in now["nodes"]] == [second.hash]
    settled = await stack.ask(
        "query ($hash: Hash!) { message(contentHash: $hash) { escrowRefund { amount } escrowRemaining { amount } } }",
        dan.key,
        hash=debts.cancelled.hash,
    )
    assert settled["message"] == {"escrowRefund": {"amount": "0"}, "escrowRemaining": {"amount": "0"}}

    for actor in (ana, ben):
        await debts.claim(actor, second)
    now = await escrow(stack, debts, ana)
    assert (now["nodes"], now["visible"], now["total"]) == ([], {"amount": "0"}, {"amount": "0"})


async def test_only_what_the_viewer_may_see_is_listed_and_summed(stack: Stack, debts: Debts) -> None:
    """An author sees the own messages, a stranger and an anonymous caller none; the thread's total is for everyone."""
    eve = Actor(debts.parts.running, await debts.parts.running.wallet())
    seen = {
        name: [node["contentHash"] for node in (await escrow(stack, debts, viewer))["nodes"]]
        for name, viewer in {"cara": debts.cara, "dan": debts.dan, "eve": eve, "nobody": None}.items()
    }
    denied = {draft.hash for draft in debts.denied}
    assert {name: set(hashes) for name, hashes in seen.items()} == {
        "cara": denied, "dan": {debts.cancelled.hash}, "eve": set(), "nobody": set(),
    }  # fmt: skip
    cara, nobody = await escrow(stack, debts, debts.cara), await escrow(stack, debts, None)
    assert cara["visible"]["amount"] == str(4 * (STAKE // 2))
    assert nobody["visible"]["amount"] == "0"
    assert int(nobody["total"]["amount"]) > 0
    assert nobody["pageInfo"] == {
        "hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None,
    }  # fmt: skip


async def test_an_index_that_has_gone_on_makes_the_query_run_again(stack: Stack, debts: Debts) -> None:
    """What was owed at the version that a lagging node shows, the index no longer knows."""
    parts = debts.parts
    address = parts.running.addresses.thread(debts.thread_id)
    old = await parts.chain.accounts([address])
    await stack.ask("{ protocol { mint } }")  # the token is read once for all answers
    await debts.claim(debts.ben, debts.denied[0])
    thread = (await parts.chain.accounts([address])).accounts[0]
    assert thread is not None
    sequence = decode_thread(address, thread.data).sequence
    assert await parts.index.wait_for(debts.thread_id, sequence, PATIENCE)
    stack.chain.answers = [old]
    data = await stack.ask(ESCROW, id=debts.thread_id)
    assert stack.chain.answers == []
    assert data["thread"]["version"] == sequence
    assert data["thread"]["escrow"]["total"] == {"amount": str(3 * (STAKE // 2) + STAKE)}


async def test_pages_run_both_ways(stack: Stack, debts: Debts) -> None:
    """The same order forward and backward, cut where asked; the sums span all pages."""
    whole = await escrow(stack, debts, debts.ana)
    expected = [edge["node"]["contentHash"] for edge in whole["edges"]]
    forward, backward = [], []
    after = before = None
    for _ in expected:
        page = await escrow(stack, debts, debts.ana, first=1, after=after)
        assert page["visible"] == whole["visible"]
        forward += [node["contentHash"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is (len(forward) < len(expected))
        page = await escrow(stack, debts, debts.ana, last=1, before=before)
        backward += [node["contentHash"] for node in page["nodes"]]
        before = page["pageInfo"]["startCursor"]
        assert page["pageInfo"]["hasPreviousPage"] is (len(backward) < len(expected))
    assert forward == backward[::-1] == expected
    refused = await stack.run(ESCROW, debts.ana.key, id=debts.thread_id, first=1, last=1)
    assert refused.codes == ["INVALID_INPUT"]
