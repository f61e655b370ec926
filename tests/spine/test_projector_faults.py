"""When an authority is away, lags or has forgotten, the projector waits or says so, and never derives a mixture."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chorale.domain.chain import AccountsRead, HistoryEntry
from chorale.domain.content import Promotion
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import EventKind, EventPosition, LoggedEvent
from chorale.domain.paging import PageRequest
from chorale.domain.updates import Authority
from chorale.projection import promotion, thread_history
from chorale.projector import Projector
from datasources.embeddings import FastEmbedder
from programs import merkle
from programs.accounts import decode_thread
from tests.chains import RunningChain
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts, open_parts

pytestmark = pytest.mark.asyncio(loop_scope="session")


class ForgetfulChain:
    """The real chain behind a node whose history begins `kept` transactions ago."""

    def __init__(self, chain: Any, kept: int) -> None:
        self._chain = chain
        self.kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def history(self, address: str, **options: Any) -> Sequence[HistoryEntry]:
        entries: Sequence[HistoryEntry] = await self._chain.history(address, **options)
        return entries[: self.kept]


class RestlessChain:
    """The real chain, where somebody posts before every read of accounts."""

    def __init__(self, chain: Any, happens: Callable[[], Awaitable[object]]) -> None:
        self._chain = chain
        self._happens = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def accounts(self, addresses: Sequence[str], **options: Any) -> AccountsRead:
        await self._happens()
        read: AccountsRead = await self._chain.accounts(addresses, **options)
        return read


class TruncatingChain:
    """The real chain behind a node that cuts every account in half."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def accounts(self, addresses: Sequence[str], **options: Any) -> AccountsRead:
        read: AccountsRead = await self._chain.accounts(addresses, **options)
        return replace(
            read,
            accounts=tuple(data and replace(data, data=data.data[: len(data.data) // 2]) for data in read.accounts),
        )


class AbsentContent:
    """The real store, away for promotions of one thread while `away`."""

    def __init__(self, content: Any, thread_id: str) -> None:
        self._content = content
        self._thread_id = thread_id
        self.away = True
        self.refused = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)

    async def promote(self, promotions: Sequence[Promotion]) -> None:
        if self.away and any(p.key.thread_id == self._thread_id for p in promotions):
            self.refused.set()
            raise AuthorityUnavailableError(Authority.QDRANT)
        await self._content.promote(promotions)


async def posts(parts: Parts, actor: Actor, count: int) -> tuple[str, list[str]]:
    """A thread with that many posts on chain, their bytes staged; thread id and signatures."""
    title = actor.thread("Title")
    await parts.stage(title.content)
    signatures = [await actor.send(title.instruction)]
    for number in range(count):
        signatures.append(await post(parts, actor, title.content.key.thread_id, f"Post {number}"))
    return title.content.key.thread_id, signatures


async def post(parts: Parts, actor: Actor, thread_id: str, body: str) -> str:
    draft = actor.post(thread_id, body)
    await parts.stage(draft.content)
    return await actor.send(draft.instruction)


async def log_of(parts: Parts, thread_id: str) -> list[LoggedEvent]:
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    return list(batch.events)


async def assert_whole_up_to(parts: Parts, thread_id: str, sequence: int) -> None:
    """All posts up to that version are listed, and every event is logged once, in order."""
    page = await parts.index.messages(thread_id, PageRequest(first=100), viewer=None)
    assert len(page.rows) == sequence - 1
    assert [event.sequence for event in await log_of(parts, thread_id)] == list(range(1, sequence + 1))


async def assert_whole(parts: Parts, thread_id: str, count: int) -> None:
    """All posts are listed and proven against the account's root."""
    page = await parts.index.messages(thread_id, PageRequest(first=100), viewer=None)
    assert len(page.rows) == count
    address = parts.running.addresses.thread(thread_id)
    account = (await parts.chain.accounts([address])).accounts[0]
    assert account is not None
    root = decode_thread(address, account.data).content_root
    for leaf, row in enumerate(page.rows):
        path = await parts.index.merkle_path(thread_id, leaf, count)
        assert path is not None
        assert merkle.verify_path(row.id, leaf, path, root, count)


async def test_forgotten_history_is_a_gap_and_state_is_whole(parts: Parts, ana: Actor) -> None:
    """State comes from accounts; the log says where transactions are gone, and goes on behind it."""
    thread_id, signatures = await posts(parts, ana, 4)
    chain: Any = ForgetfulChain(parts.chain, 1)
    projector = Projector(chain, parts.content, parts.embedder, parts.index)
    settled = await projector.settle(thread_id, signatures[-1])
    assert settled.sequence == 5
    assert [(event.kind, event.sequence) for event in await log_of(parts, thread_id)] == [
        (EventKind.GAP, 4),
        (EventKind.MESSAGE_PUBLISHED, 5),
    ]
    await assert_whole(parts, thread_id, 4)
    # The next change is ordinary again.
    settled = await projector.settle(thread_id, await post(parts, ana, thread_id, "One more"))
    assert settled.position.sequence == 6
    await assert_whole(parts, thread_id, 5)


async def test_a_thread_that_never_rests_is_projected(parts: Parts, ana: Actor) -> None:
    """Each read finds one more message than the one before, and still each round comes to an end, at one version."""
    thread_id, signatures = await posts(parts, ana, 1)
    chain: Any = RestlessChain(parts.chain, lambda: post(parts, ana, thread_id, f"At {time.monotonic_ns()}"))
    projector = Projector(chain, parts.content, parts.embedder, parts.index)
    reached = (await projector.settle(thread_id, signatures[-1])).sequence
    assert reached >= 2
    await assert_whole_up_to(parts, thread_id, reached)
    final = (await parts.projector.settle(thread_id, min_slot=await parts.chain.slot())).sequence
    assert final > reached
    await assert_whole(parts, thread_id, final - 1)


async def test_a_node_that_answers_with_garbage_is_away(parts: Parts, ana: Actor) -> None:
    """An account that no program writes is the node's fault: nothing is derived from it, and it is asked again."""
    thread_id, signatures = await posts(parts, ana, 1)
    chain: Any = TruncatingChain(parts.chain)
    with pytest.raises(AuthorityUnavailableError, match="garbage") as raised:
        await Projector(chain, parts.content, parts.embedder, parts.index).settle(thread_id, signatures[-1])
    assert raised.value.authority is Authority.SOLANA
    assert await parts.index.thread_sequence(thread_id) == 0
    await parts.projector.settle(thread_id, signatures[-1])
    await assert_whole(parts, thread_id, 1)


async def test_a_node_whose_history_lags_is_asked_again(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh account without its transaction is no gap: nothing is written until the node has caught up."""
    monkeypatch.setattr(thread_history, "_LAG", (0, 0))
    thread_id, signatures = await posts(parts, ana, 1)
    chain: Any = ForgetfulChain(parts.chain, 0)
    projector = Projector(chain, parts.content, parts.embedder, parts.index)
    with pytest.raises(AuthorityUnavailableError, match="yet"):
        await projector.settle(thread_id, signatures[-1])
    assert await parts.index.thread_sequence(thread_id) == 0
    chain.kept = 1000
    assert (await projector.settle(thread_id, signatures[-1])).sequence == 2
    assert [event.kind for event in await log_of(parts, thread_id)] == [
        EventKind.THREAD_CREATED,
        EventKind.MESSAGE_PUBLISHED,
    ]


async def test_a_cut_log_makes_accounts_be_read_again(parts: Parts, ana: Actor) -> None:
    """What a cut log may have lost is read from accounts, and the log says that something is missing."""
    thread_id, signatures = await posts(parts, ana, 2)
    record = await parts.chain.transaction(signatures[-1])
    assert record is not None
    await parts.projector.settle(thread_id, signatures[0], record=replace(record, logs_cut=True))
    assert [(event.kind, event.sequence) for event in await log_of(parts, thread_id)] == [
        (EventKind.THREAD_CREATED, 1),
        (EventKind.MESSAGE_PUBLISHED, 2),
        (EventKind.MESSAGE_PUBLISHED, 3),
        (EventKind.GAP, 3),
    ]
    await assert_whole(parts, thread_id, 2)


async def test_a_tree_that_no_longer_fits_is_built_anew(parts: Parts, ana: Actor, tmp_path: Path) -> None:
    """An index whose tree was damaged reads the whole thread instead of serving wrong proofs."""
    thread_id, signatures = await posts(parts, ana, 3)
    await parts.projector.settle(thread_id, signatures[-1])
    [file] = (tmp_path / "index").glob("*.sqlite3")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE nodes SET hash = zeroblob(32)")
    connection.commit()
    connection.close()
    await parts.projector.settle(thread_id, await post(parts, ana, thread_id, "After the damage"))
    await assert_whole(parts, thread_id, 4)


async def test_one_thread_waits_for_qdrant_while_others_go_on(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is committed or announced before its content is promoted; other threads are not held up."""
    monkeypatch.setattr(promotion, "_PAUSES", (0, 0))
    held, held_signatures = await posts(parts, ana, 1)
    free, free_signatures = await posts(parts, ana, 1)
    content: Any = AbsentContent(parts.content, held)
    projector = Projector(parts.chain, content, parts.embedder, parts.index)
    refused, settled = await asyncio.gather(
        projector.settle(held, held_signatures[-1]),
        projector.settle(free, free_signatures[-1]),
        return_exceptions=True,
    )
    assert isinstance(refused, AuthorityUnavailableError)
    assert not isinstance(settled, BaseException)
    assert settled.sequence == 2
    assert await log_of(parts, held) == []
    content.away = False
    assert (await projector.settle(held, held_signatures[-1])).sequence == 2


async def test_the_watcher_tries_until_qdrant_is_back(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that could not be promoted keeps the cursor back and is settled later, once."""
    monkeypatch.setattr(promotion, "_PAUSES", ())
    title = ana.thread("Held")
    thread_id = title.content.key.thread_id
    content: Any = AbsentContent(parts.content, thread_id)
    faulty = replace(parts, projector=Projector(parts.chain, content, parts.embedder, parts.index))
    async with faulty.watch():
        await parts.stage(title.content)
        signature = await ana.send(title.instruction)
        async with asyncio.timeout(PATIENCE):
            await content.refused.wait()
        assert await parts.index.settled(thread_id, signature) is None
        content.away = False
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
    assert [event.kind for event in await log_of(parts, thread_id)] == [EventKind.THREAD_CREATED]


class Relay:
    """A TCP relay to the chain's socket that can drop every connection."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._host, self._port = parts.hostname, parts.port
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Relay]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.drop()

    def drop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()


async def test_a_lost_connection_loses_nothing(
    running: RunningChain, embedder: FastEmbedder, tmp_path: Path, ana: Actor
) -> None:
    """Transactions around a dropped subscription arrive once, whether it saw them or the replay did."""
    async with (
        Relay(running.ws_url).open() as relay,
        open_parts(replace(running, ws_url=relay.address), embedder, tmp_path) as parts,
        parts.watch(),
    ):
        title = ana.thread("Title")
        thread_id = title.content.key.thread_id
        await ana.send(title.instruction)
        for number in range(6):
            if number % 2:
                relay.drop()
            await post(parts, ana, thread_id, f"Post {number}")
        assert await parts.index.wait_for(thread_id, 7, PATIENCE)
        events = await log_of(parts, thread_id)
        assert [(event.sequence, event.ordinal) for event in events] == [(n, 0) for n in range(1, 8)]
        await assert_whole(parts, thread_id, 6)
