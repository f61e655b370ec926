"""A history that was put back is noticed: what was derived from the branch that is gone goes to `reconcile`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from chorale.checking.client_reports import ClientReports
from chorale.domain.approval import MessageStatus
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.conflict import ConflictCause, ConflictKind, Settlement
from chorale.domain.content import SearchCriteria, SearchMode
from chorale.domain.events import EventKind, EventPosition
from chorale.domain.paging import PageRequest
from chorale.reconciliation.resolvers import open_resolvers
from datasources.cache.entities_memory import MemoryEntities
from datasources.embeddings import FastEmbedder
from programs import instructions
from programs.accounts import decode_thread
from tests.chains import MINIMUM_STAKE, PROGRAM_SO, mint_to
from tests.patience import PATIENCE
from tests.replaceable import ReplaceableChain, replaceable_chain
from tests.spine.parts import Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def replaceable(tmp_path: Path) -> Iterator[ReplaceableChain]:
    if not PROGRAM_SO.exists():
        pytest.skip(f"{PROGRAM_SO.name} is not built")
    with replaceable_chain(tmp_path / "chain") as chain:
        yield chain


def equip(parts: Parts) -> None:
    """Let what is found be resolved, as in the server."""
    limits = parts.limits
    parts.reconciler.equip(
        open_resolvers(
            parts.chain, parts.content, parts.embedder, parts.index, parts.projector, parts.corrections,
            MemoryEntities(limits), ClientReports(limits), limits,
        )
    )  # fmt: skip


async def announced(parts: Parts, kind: AnnouncementKind) -> str:
    """The detail of the first announcement of a kind, once it is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for made in parts.announcements.recent():
                if made.kind is kind:
                    return made.detail
            await asyncio.sleep(0.05)


async def post(parts: Parts, actor: Actor, thread_id: str, body: str) -> str:
    """Post past the server; the content hash."""
    draft = actor.post(thread_id, body)
    await parts.stage(draft.content)
    await actor.send(draft.instruction)
    return draft.hash


async def test_a_thread_above_the_final_history_is_handed_over(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path
) -> None:
    """A chain put back to an earlier state leaves the index ahead; that is a conflict, and threads elsewhere go on."""
    running = replaceable.start()
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        forked, quiet = ana.thread("Forked"), ana.thread("Quiet")
        for title in (forked, quiet):
            await parts.stage(title.content)
            await ana.send(title.instruction)
        forked_id, quiet_id = forked.content.key.thread_id, quiet.content.key.thread_id
        await post(parts, ana, quiet_id, "Stays.")
        assert await parts.index.wait_for(quiet_id, 2, PATIENCE)
        replaceable.kill()
        replaceable.keep()
        replaceable.start()
        for number in range(3):
            await post(parts, ana, forked_id, f"Of the branch that is gone, {number}")
        assert await parts.index.wait_for(forked_id, 4, PATIENCE)
        replaceable.kill()
        replaceable.put_back()
        replaceable.start()
        assert "1 threads" in await announced(parts, AnnouncementKind.CHAIN_FORKED)
        [record] = parts.conflicts.before(None, 10)
        assert record.conflict.cause is ConflictCause.INDEX_WRONG
        assert (record.conflict.subject, record.conflict.expected) == (f"Thread:{forked_id}", "sequence 1")
        await post(parts, ana, quiet_id, "Goes on.")
        assert await parts.index.wait_for(quiet_id, 3, PATIENCE)


async def listed(parts: Parts, thread_id: str) -> list[str]:
    """Hashes of a thread's messages with an account, in order."""
    page = await parts.index.messages(thread_id, PageRequest(first=100), viewer=None)
    return [row.id for row in page.rows]


async def log(parts: Parts, thread_id: str) -> list[tuple[str, int, str | None]]:
    """Kind, sequence and content of every event of the chain."""
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    return [(each.kind, each.sequence, each.content_hash) for each in batch.events if each.kind is not EventKind.GAP]


async def is_as_on_chain(parts: Parts, actor: Actor, thread_id: str, hashes: list[str]) -> None:
    """Rows, log, tree and search of the thread come to hold these messages and no others."""
    expected = [("ThreadCreated", 1, None)]
    expected += [("MessagePublished", number, each) for number, each in enumerate(hashes, 2)]
    criteria = SearchCriteria("branch", SearchMode.TEXT, actor.key, (thread_id,), thread_id=thread_id)
    query = await parts.embedder.embed_query("branch")
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        hits = await parts.content.search(criteria, query, 10)
        found = {hit.content.key.hash for hit in hits if hit.content.status is MessageStatus.PUBLISHED}
        is_held = (await listed(parts, thread_id), await log(parts, thread_id), found)
        if is_held == (hashes, expected, set(hashes)):
            break
        if asyncio.get_running_loop().time() > deadline:
            assert is_held == (hashes, expected, set(hashes))
        await asyncio.sleep(0.1)
    address = parts.running.addresses.thread(thread_id)
    account = (await parts.chain.accounts([address])).accounts[0]
    assert account is not None
    thread = decode_thread(address, account.data)
    assert thread.sequence == len(hashes) + 1
    assert await parts.index.recomputed_root(thread_id, len(hashes)) == thread.content_root


@pytest.mark.parametrize("written", [0, 2, 4], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("away", [False, True], ids=["following", "away"])
async def test_a_fork_is_healed(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path, written: int, away: bool
) -> None:
    """Whatever the other branch holds, and whether the server ran or not: in the end all is as on chain."""
    running = replaceable.start()
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        title = ana.thread("On branches")
        thread_id = title.content.key.thread_id
        await parts.stage(title.content)
        await ana.send(title.instruction)
        hashes = [await post(parts, ana, thread_id, "Before the branch")]
        assert await parts.index.wait_for(thread_id, 2, PATIENCE)
        replaceable.kill()
        replaceable.keep()
        replaceable.start()
        for number in range(2):
            await post(parts, ana, thread_id, f"The branch that is gone, {number}")
        assert await parts.index.wait_for(thread_id, 4, PATIENCE)
        if not away:
            equip(parts)
            replaceable.kill()
            replaceable.put_back()
            replaceable.start()
            hashes += [await post(parts, ana, thread_id, f"The branch that stays, {at}") for at in range(written)]
            await is_as_on_chain(parts, ana, thread_id, hashes)
            return
    replaceable.kill()
    replaceable.put_back()
    replaceable.start()
    async with open_parts(running, embedder, tmp_path / "parts") as parts:
        equip(parts)
        hashes += [await post(parts, ana, thread_id, f"The branch that stays, {at}") for at in range(written)]
        async with parts.watch():
            await is_as_on_chain(parts, ana, thread_id, hashes)
            hashes.append(await post(parts, ana, thread_id, "Later, on the same branch"))
            await is_as_on_chain(parts, ana, thread_id, hashes)


class Admin:
    """What the protocol's admin does past the server, and what the index is to say of it."""

    def __init__(self, parts: Parts, stake: int) -> None:
        self.parts = parts
        self.stakes = [stake]
        self.deposits: list[int] = []

    async def configure(self, stake: int) -> None:
        """Another minimum stake."""
        running = self.parts.running
        await running.send(
            [
                instructions.configure(
                    running.addresses,
                    admin=str(running.admin.pubkey()),
                    new_admin=str(running.admin.pubkey()),
                    minimum_stake=stake,
                    approval_window=running.window,
                )
            ],
            [running.admin],
        )
        self.stakes.insert(0, stake)

    async def deposit(self, amount: int) -> None:
        """Tokens into the treasury, unasked."""
        running = self.parts.running
        treasury = Pubkey.from_string(running.addresses.treasury())
        part = mint_to(Pubkey.from_string(running.mint), treasury, running.admin.pubkey(), amount)
        await running.send([part], [running.admin])
        self.deposits.insert(0, amount)

    async def is_told(self) -> None:
        """The index comes to tell exactly this, with nothing that it cannot explain."""
        index = self.parts.index
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            changes = (await index.protocol_changes(PageRequest(first=100))).changes
            flows = (await index.treasury_flows(PageRequest(first=100))).flows
            totals = await index.treasury()
            told = (
                [change.minimum_stake for change in changes],
                sorted(flow.amount for flow in flows),  # those of one slot are in the order of their signatures
                (totals.sequence, totals.deposited, totals.unexplained),
            )
            expected = (self.stakes, sorted(self.deposits), (len(self.stakes), sum(self.deposits), 0))
            if told == expected:
                return
            if asyncio.get_running_loop().time() > deadline:
                assert told == expected
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("written", [False, True], ids=["nothing instead", "others instead"])
@pytest.mark.parametrize("away", [False, True], ids=["following", "away"])
async def test_the_protocols_part_of_a_fork_is_healed(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path, written: bool, away: bool
) -> None:
    """Parameters and deposits of a branch that is gone leave the index, and are a conflict of their own cause."""
    running = replaceable.start()
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        admin = Admin(parts, MINIMUM_STAKE)
        await admin.configure(2_000_000)
        await admin.deposit(5)
        await admin.is_told()
        replaceable.kill()
        replaceable.keep()
        replaceable.start()
        lost = Admin(parts, 0)
        lost.stakes, lost.deposits = list(admin.stakes), list(admin.deposits)
        await lost.configure(7_000_000)
        await lost.deposit(11)
        await lost.deposit(13)
        await lost.is_told()
        if not away:
            equip(parts)
            await _put_back(replaceable, admin, written=written)
            await _is_healed(parts, admin)
            return
    await _put_back(replaceable, admin, written=written)
    async with open_parts(running, embedder, tmp_path / "parts") as parts:
        admin.parts = parts
        equip(parts)
        async with parts.watch():
            await _is_healed(parts, admin)


async def _put_back(replaceable: ReplaceableChain, admin: Admin, *, written: bool) -> None:
    replaceable.kill()
    replaceable.put_back()
    replaceable.start()
    if written:
        await admin.configure(3_000_000)
        await admin.deposit(17)


async def _is_healed(parts: Parts, admin: Admin) -> None:
    await admin.is_told()
    await announced(parts, AnnouncementKind.CONFLICT)  # the record is written after what it tells of
    records = [each for each in parts.conflicts.before(None, 10) if each.settlement is Settlement.RESOLVED]
    found = {(each.conflict.cause, each.conflict.subject) for each in records}
    assert found == {(ConflictCause.PROTOCOL_WRONG, "Protocol")}
    assert "changes of the protocol were of a branch" in await announced(parts, AnnouncementKind.CHAIN_FORKED)
    assert parts.measures.now().conflicts[ConflictKind.OWNERSHIP] == len(parts.conflicts.before(None, 10))
    await admin.configure(4_000_000)
    await admin.is_told()


async def test_another_chain_ends_the_watcher(
    replaceable: ReplaceableChain, embedder: FastEmbedder, tmp_path: Path
) -> None:
    """Where the node serves another chain nothing of it is taken: the log ends and says why."""
    running = replaceable.start()
    ana = Actor(running, await running.wallet())
    async with open_parts(running, embedder, tmp_path / "parts") as parts, parts.watch():
        title = ana.thread("On the first chain")
        await parts.stage(title.content)
        await ana.send(title.instruction)
        thread_id = title.content.key.thread_id
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        replaceable.kill()
        replaceable.forget()
        replaceable.start()
        assert "another chain" in await announced(parts, AnnouncementKind.CHAIN_RESET)
        assert parts.index.ended == "CHAIN_RESET"
        assert await parts.index.thread_sequence(thread_id) == 1
        assert [_ async for _ in parts.index.wake(thread_id)] == []
