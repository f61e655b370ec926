"""Between two of the watcher's looks another cluster at the same address lowers and deletes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chorale.checking.client_reports import ClientReports
from chorale.domain.approval import MessageStatus
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause, ConflictRecord, Settlement
from chorale.domain.content import StoredContent
from chorale.domain.paging import PageRequest
from chorale.projection.chain_identity import ForeignChainError
from chorale.projection.finality import Finality
from chorale.projection.staging import StagingCollector
from chorale.reconciliation.resolvers import open_resolvers
from datasources.cache.entities_memory import MemoryEntities
from datasources.embeddings import FastEmbedder
from tests.chains import PROGRAM_SO
from tests.patience import PATIENCE
from tests.replaceable import ReplaceableChain, replaceable_chain
from tests.spine.parts import LEASE, Actor, Draft, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def replaceable(tmp_path: Path) -> Iterator[ReplaceableChain]:
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    with replaceable_chain(tmp_path / "chain") as chain:
        yield chain


def equip(parts: Parts) -> None:
    limits = parts.limits
    parts.reconciler.equip(
        open_resolvers(
            parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.corrections,
            MemoryEntities(limits), ClientReports(limits), limits,
        )
    )  # fmt: skip


def damage(folder: Path, statement: str) -> None:
    """Write to the index's file by a connection of its own."""
    [file] = (folder / "index").glob("index-*.sqlite3")
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def replace_chain(replaceable: ReplaceableChain) -> None:
    """Another cluster comes to the address."""
    replaceable.kill()
    replaceable.forget()
    replaceable.start()


async def stored(parts: Parts, draft: Draft) -> StoredContent | None:
    return (await parts.content.fetch([draft.content.key]))[draft.content.key].stored


async def settled(parts: Parts, cause: ConflictCause, subject: str, thread_id: str = "") -> ConflictRecord:
    return await parts.reconciler.settle(Conflict(cause, subject, thread_id, "what is", "what was"))


async def test_another_cluster_at_the_address_costs_nothing(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path
) -> None:
    """Rows, points, parameters and staged bytes stay: each correction asks whose chain it is, fails, and says so."""
    running, folder = replaceable.start(), tmp_path / "parts"
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, folder) as parts:
        equip(parts)
        title = ana.thread("Ours")
        thread_id = title.content.key.thread_id
        post, waiting = ana.post(thread_id, "Public."), ana.post(thread_id, "On chain, and not promoted yet.")
        for draft in (title, post):
            await parts.stage(draft.content)
            await parts.projector.settle(thread_id, await ana.send(draft.instruction))
        await parts.projector.protocol.look()
        await parts.content.stage(waiting.content, lease_until=int(time.time()) + LEASE)
        await ana.send(waiting.instruction)
        damage(folder, "UPDATE protocol_changes SET minimum_stake = 3")
        replace_chain(replaceable)

        tried = [
            await settled(parts, ConflictCause.INDEX_WRONG, f"Thread:{thread_id}", thread_id),
            await settled(parts, ConflictCause.PAYLOAD_WRONG, f"Message:{post.hash}", thread_id),
            await settled(parts, ConflictCause.INDEX_WRONG, "Protocol"),
        ]
        later = StagingCollector(
            parts.chain, parts.content, parts.projector, parts.corrections, now=lambda: time.time() + 2 * LEASE
        )
        with pytest.raises(ForeignChainError):
            await later.collect()

        assert [record.settlement for record in tried] == [Settlement.FAILED] * 3
        assert all("another chain" in record.action for record in tried), tried
        assert await parts.index.thread_sequence(thread_id) == 2
        point, left = await stored(parts, post), await stored(parts, waiting)
        assert point is not None and (point.status, point.sequence) == (MessageStatus.PUBLISHED, 2)
        assert left is not None and left.body == waiting.content.body
        [change] = (await parts.index.protocol_changes(PageRequest(first=10))).changes
        assert change.minimum_stake == 3


async def test_a_removal_asks_as_well(replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path) -> None:
    """Rows of what cannot be a thread, for which no account is read, stay too while the node serves another chain."""
    running, folder = replaceable.start(), tmp_path / "parts"
    async with open_parts(running, embedder, folder) as parts:
        equip(parts)
        damage(folder, "INSERT INTO threads (thread_id, sequence) VALUES ('nonsense', 7)")
        replace_chain(replaceable)
        record = await settled(parts, ConflictCause.INDEX_WRONG, "Thread:nonsense", "nonsense")
        assert (record.settlement, await parts.index.thread_sequence("nonsense")) == (Settlement.FAILED, 7)


class Finalizing:
    """The real chain at slot 1, which it finalizes at the second look; the first takes until all have come."""

    def __init__(self, chain: Any, waiting: int) -> None:
        self._chain = chain
        self._missing = waiting
        self._all = asyncio.Event()
        self.looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def slot(self, commitment: Commitment) -> int:
        if commitment is not Commitment.FINALIZED:
            self._missing -= 1
            if not self._missing:
                self._all.set()
            return 1
        self.looks += 1
        await self._all.wait()
        return self.looks - 1


async def test_those_who_wait_for_finality_share_their_looks(parts: Parts) -> None:
    """However many corrections wait, the chain is asked once at a time how far it has finalized."""
    chain: Any = Finalizing(parts.chain, 20)
    finality = Finality(chain, parts.genesis_hash)
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*(finality.now() for _ in range(20))) == [1] * 20
    assert chain.looks == 2
