"""The watcher: follows the chain and has the projector settle whatever changes, whoever changed it.

On every connection: subscribe first, then catch up (from the cursor, or from a snapshot where there is none), then go
live with what the subscription has kept meanwhile. Nodes confirm, list and notify at their own pace, so that a
transaction may slip through in between: what is listed is looked through again, a little later and then regularly. A
transaction that is met twice is settled once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from typing import TypeAlias

from chorale.domain.chain import HistoryEntry, SlotTick
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain, ContentStore, Index
from chorale.domain.projection import ChainCursor
from chorale.domain.updates import Authority
from chorale.projection.catch_up import missed, snapshot
from chorale.projection.content_check import check_content
from chorale.projection.staging import StagingCollector
from chorale.projection.thread_names import threads_of
from chorale.projector import Projector

_log = logging.getLogger(__name__)

_SETTLING = 256  # threads under way at a time; further transactions wait in the inbox
_INBOX = 10_000
_BATCH = 100
_FIRST_CHECK, _CHECK = 2.0, 10.0  # s after going live, and between looks at what is listed
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # s between attempts, doubling

Item: TypeAlias = TransactionRecord | SlotTick


class Watcher:
    """Feeds the projector from the chain; also collects staged bytes whose lease has passed."""

    def __init__(self, chain: Chain, projector: Projector, index: Index, content: ContentStore) -> None:
        self._chain = chain
        self._projector = projector
        self._progress = projector.progress
        self._index = index
        self._content = content
        self._collector = StagingCollector(chain, content, projector)
        self._caught_up = asyncio.Event()
        self._following = False  # whether this connection has come as far as live transactions
        self._places = asyncio.Semaphore(_SETTLING)
        self._settling: set[asyncio.Task[None]] = set()

    async def caught_up(self) -> None:
        """Wait until derived state has reached the chain for the first time and the content has been checked."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Follow the chain until cancelled; a lost connection is made again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collector.run(), name="collect staged content")
            pause = _FIRST_PAUSE
            while True:
                self._following = False
                try:
                    async with aclosing(self._chain.follow()) as feed:
                        await anext(feed)  # the subscription stands
                        await self._follow(feed, tasks)
                except ChoraleError as error:
                    pause = _FIRST_PAUSE if self._following else pause
                    _log.warning("Following the chain again in %.1f s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self, feed: AsyncIterator[Item], tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        inbox: asyncio.Queue[Item | None] = asyncio.Queue(_INBOX)
        pump = asyncio.create_task(_pump(feed, inbox), name="chain subscription")
        try:
            begun = await self._catch_up(tasks)
            self._following = True
            since, then = begun, self._progress.cursor
            check_at = loop.time() + _FIRST_CHECK
            while (item := await inbox.get()) is not None:
                if isinstance(item, TransactionRecord):
                    await self._take(item, tasks)
                    continue
                await self._projector.save_cursor()
                if loop.time() >= check_at:
                    await self._replay_since(since, tasks, wait=False)
                    since, then = then, self._progress.cursor
                    check_at = loop.time() + _CHECK
            await pump
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _catch_up(self, tasks: asyncio.TaskGroup) -> ChainCursor | None:
        """Settle what was missed, first of all derived state. Returns the cursor from which that began."""
        cursor = self._progress.cursor or await self._index.chain_cursor()
        await self._replay_since(cursor, tasks, wait=True)
        if self._settling:
            await asyncio.wait(self._settling)
        await self._projector.save_cursor()
        if not self._caught_up.is_set():
            await check_content(self._content, self._index, self._projector)
            self._caught_up.set()
        return cursor

    async def _replay_since(self, cursor: ChainCursor | None, tasks: asyncio.TaskGroup, *, wait: bool) -> None:
        """Settle what is listed and not known yet. `wait`: what is listed and not served yet is an error."""
        listed = await missed(self._chain, cursor) if cursor is not None else None
        if listed is None:
            await self._take_all(tasks)
            return
        entries = [entry for entry in listed if not self._progress.knows(entry.signature)]
        for at in range(0, len(entries), _BATCH):
            await self._replay(entries[at : at + _BATCH], tasks, wait=wait)

    async def _replay(self, entries: Collection[HistoryEntry], tasks: asyncio.TaskGroup, *, wait: bool) -> None:
        signatures = [entry.signature for entry in entries if entry.succeeded]
        records = dict(zip(signatures, await self._chain.transactions(signatures), strict=True))
        for entry in entries:
            if not entry.succeeded:
                self._progress.begin(entry.signature, entry.slot, ())
            elif (record := records[entry.signature]) is not None:
                await self._take(record, tasks)
            elif wait:
                raise AuthorityUnavailableError(
                    Authority.SOLANA, f"The node lists transaction {entry.signature} and does not serve it."
                )

    async def _take(self, record: TransactionRecord, tasks: asyncio.TaskGroup) -> None:
        if self._progress.knows(record.signature):
            return
        if record.succeeded and record.logs_cut:
            # Which threads it touched cannot be told from what is left of its log.
            await self._take_all(tasks)
        thread_ids = await threads_of(record, self._chain, self._index)
        self._progress.begin(record.signature, record.slot, thread_ids)
        for thread_id in thread_ids:
            await self._start(tasks, thread_id, record.signature, record.slot, record)

    async def _take_all(self, tasks: asyncio.TaskGroup) -> None:
        """Settle every thread that the index is behind with."""
        seen = await snapshot(self._chain, self._index)
        newest = ""  # where all history is gone
        if seen.newest is not None:
            newest = seen.newest.signature
            self._progress.begin(newest, seen.newest.slot, seen.behind)
        for thread_id in seen.behind:
            await self._start(tasks, thread_id, newest, seen.slot, None)

    async def _start(
        self, tasks: asyncio.TaskGroup, thread_id: str, signature: str, slot: int, record: TransactionRecord | None
    ) -> None:
        await self._places.acquire()
        task = tasks.create_task(self._settle(thread_id, signature, slot, record), name=f"settle {thread_id[:8]}")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        task.add_done_callback(lambda _: self._places.release())

    async def _settle(self, thread_id: str, signature: str, slot: int, record: TransactionRecord | None) -> None:
        """Settle a thread, however often it takes; then the cursor may pass `signature`."""
        pause = _FIRST_PAUSE
        while True:
            try:
                asked = None if record is None else record.signature
                await self._projector.settle(thread_id, asked, min_slot=slot, record=record)
                break
            except ChoraleError as error:
                _log.warning("Thread %s is settled again in %.1f s: %s", thread_id, pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._progress.settle(thread_id, [signature])


async def _pump(feed: AsyncIterator[Item], inbox: asyncio.Queue[Item | None]) -> None:
    try:
        async for item in feed:
            await inbox.put(item)
    except ChoraleError:
        await inbox.put(None)
        raise
    await inbox.put(None)
