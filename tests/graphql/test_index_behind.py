"""Where the index is behind the accounts: what it lists is shown only as they confirm it, and a proof waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
import pytest_asyncio

from chorale.domain.paging import PageRequest
from datasources.index import SqliteIndex
from programs import instructions
from tests.chains import RunningChain
from tests.graphql.stack import Stack
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROOF = "query ($h: Hash!) { message(contentHash: $h) { status leafIndex proof { root leafIndex path } } }"


class WatchedIndex:
    """The real index, saying when someone waits for it."""

    def __init__(self, index: SqliteIndex) -> None:
        self._index = index
        self.waited = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    async def wait_for(self, thread_id: str, sequence: int, timeout: float) -> bool:
        """As the index answers."""
        self.waited.set()
        return await self._index.wait_for(thread_id, sequence, timeout)


@dataclass(frozen=True)
class Behind:
    """Parts whose watcher has stopped before the chain went on: Ben voted, and was paid his share of a denied stake.

    Dan's message still awaits Ana's vote; her share still waits for her. Both Dan's and Cara's were submitted to a
    thread that Ana made and Ben co-authors. Ana's post is published, and the index knows it as staged.
    """

    parts: Parts
    ana: Actor
    ben: Actor
    pending: str
    denied: str
    published: str


@pytest_asyncio.fixture(loop_scope="session")
async def behind(
    localnet: RunningChain, parts: Parts, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Behind]:
    ana, ben, cara, dan = [Actor(localnet, await localnet.wallet()) for _ in range(4)]
    thread = ana.thread("Left behind")
    thread_id = thread.content.key.thread_id
    joining = ben.submit(thread_id, "Ben joins.")
    denied = cara.submit(thread_id, "Nobody wants this.", 5_000_000)
    pending = dan.submit(thread_id, "Both are asked.")
    post = ana.post(thread_id, "Published behind the index's back.")
    await ana.send(thread.instruction)
    await ben.send(joining.instruction)
    await ana.send(ana.vote(thread_id, joining.hash, approve=True))
    await cara.send(denied.instruction)
    await dan.send(pending.instruction)
    for voter in (ana, ben):
        await voter.send(voter.vote(thread_id, denied.hash, approve=False))
    async with open_parts(localnet, parts.embedder, tmp_path_factory.mktemp("behind")) as late:
        async with late.watch():
            assert await late.index.wait_for(thread_id, 7, PATIENCE)
        await late.stage(post.content)
        await ana.send(post.instruction)
        paid = instructions.claim(
            localnet.addresses, payee=ben.key, destination=ben.tokens, thread_id=thread_id, content_hash=denied.hash
        )
        await ben.send(ben.vote(thread_id, pending.hash, approve=True), paid)
        yield Behind(late, ana, ben, pending.hash, denied.hash, post.hash)


async def test_a_vote_cast_since_awaits_nobody(behind: Behind) -> None:
    """The index still lists the message for Ben; his account of it says that he has voted."""
    query = "query ($who: Pubkey!) { pendingApprovals(voter: $who) { nodes { contentHash } } }"
    now = await behind.parts.chain.unix_time()
    for who, shown in ((behind.ben, []), (behind.ana, [behind.pending])):
        rows = await behind.parts.index.pending_approvals(who.key, PageRequest(first=9), viewer=who.key, now=now)
        assert [row.id for row in rows.rows] == [behind.pending]
        nodes = (await Stack(behind.parts).ask(query, who.key, who=who.key))["pendingApprovals"]["nodes"]
        assert [node["contentHash"] for node in nodes] == shown


async def test_a_share_paid_since_is_owed_no_more(behind: Behind) -> None:
    """The index still lists Ben's share; the account says that it was claimed."""
    query = "query ($who: Pubkey!) { claimableEscrow(wallet: $who) { nodes { contentHash } } }"
    for who, shown in ((behind.ben, []), (behind.ana, [behind.denied])):
        rows = await behind.parts.index.claimable(who.key, PageRequest(first=9), viewer=who.key)
        assert [row.id for row in rows.rows] == [behind.denied]
        nodes = (await Stack(behind.parts).ask(query, who.key, who=who.key))["claimableEscrow"]["nodes"]
        assert [node["contentHash"] for node in nodes] == shown


async def test_a_threads_escrow_is_of_one_version_or_none(behind: Behind) -> None:
    """What the index sums is not set beside what the account has paid since."""
    query = """query ($h: Hash!) { message(contentHash: $h) { thread { escrowTotal { amount } escrow {
      total { amount } visible { amount } nodes { contentHash } } } } }"""
    answer = await Stack(behind.parts).with_limits(min_version_wait=0.05).run(query, behind.ana.key, h=behind.denied)
    assert set(answer.codes) == {"STALE_READ"}
    assert answer.data["message"]["thread"] == {"escrowTotal": {"amount": "2500000"}, "escrow": None}


async def test_a_proof_waits_for_the_index_and_says_where_it_stays_behind(behind: Behind) -> None:
    """Null with STALE_READ while no watcher runs; given once one has caught up with the account."""
    index = WatchedIndex(behind.parts.index)
    stack = Stack(replace(behind.parts, index=cast("SqliteIndex", index)))
    answer = await stack.with_limits(min_version_wait=0.05).run(PROOF, h=behind.published)
    assert set(answer.codes) == {"STALE_READ"}
    assert answer.data["message"] == {"status": "PUBLISHED", "leafIndex": 1, "proof": None}
    index.waited.clear()
    asking = asyncio.create_task(stack.with_limits(min_version_wait=20.0).run(PROOF, h=behind.published))
    waited = asyncio.create_task(index.waited.wait())
    await asyncio.wait((asking, waited), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
    assert waited.done() and not asking.done()
    async with behind.parts.watch():
        answer = await asking
    assert answer.errors == []
    proof = answer.data["message"]["proof"]
    assert (proof["leafIndex"], len(proof["path"])) == (1, 20)
