"""The watcher: follows the chain and has the projector settle whatever changes, whoever changed it.

On every connection: subscribe first, then catch up (from the cursor, or from a snapshot where there is none), then go
live with what the subscription has kept meanwhile. Nodes confirm, list and notify at their own pace, so that a
transaction may slip through in between: what is listed is looked through again, a little later and then regularly. A
transaction that is met twice is settled once. Where a log does not tell which threads it touched, all threads are
looked over, at the next of those looks and once for many such transactions. The protocol is looked at along with
them, and whenever the treasury's balance changes. Nothing in a transaction ends this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import aclosing

from chorale.domain.chain import HistoryEntry
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain, ContentStore, Index
from chorale.domain.projection import ChainCursor
from chorale.domain.updates import Authority
from chorale.projection.catch_up import missed, snapshot
from chorale.projection.content_check import check_content
from chorale.projection.inbox import Feed, Inbox, pump
from chorale.projection.protocol_history import changes_in
from chorale.projection.protocol_looks import ProtocolLooks
from chorale.projection.settling import Settling
from chorale.projection.staging import StagingCollector
from chorale.projection.thread_names import threads_of
from chorale.projector import Projector

_log = logging.getLogger(__name__)

_INBOX = 10_000
_LOOK_OVER = "look over"  # stands among the threads of a transaction whose log does not tell them all
_BATCH = 100
_FIRST_CHECK, _CHECK = 2.0, 10.0  # s after going live, and between looks at what is listed
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # s between attempts, doubling
_LONG = 30.0  # s without anything from the chain, slots included


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
        self._heard_at = 0.0  # when the chain was last heard, once derived state has caught up
        self._untold: dict[str, int] = {}  # signatures and slots of transactions that call for a look-over
        self._looking: asyncio.Task[None] | None = None
        self._settling = Settling(projector)
        self._protocol = ProtocolLooks(chain, projector)

    async def caught_up(self) -> None:
        """Wait until derived state has reached the chain for the first time and the content has been checked."""
        await self._caught_up.wait()

    async def ready(self) -> None:
        """Wait until derived state has caught up. AuthorityUnavailableError: the chain is no longer heard."""
        await self._caught_up.wait()
        silence = asyncio.get_running_loop().time() - self._heard_at
        if silence > _LONG:
            raise AuthorityUnavailableError(Authority.SOLANA, f"The chain has not been followed for {silence:.0f} s.")

    async def run(self) -> None:
        """Follow the chain until cancelled; a lost connection is made again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collector.run(), name="collect staged content")
            tasks.create_task(self._protocol.run(), name="listen to the treasury")
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
                except Exception:  # noqa: BLE001 -- whatever it is, the next connection may do without it
                    _log.exception("Following the chain again in %.1f s", pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self, feed: Feed, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        inbox: Inbox = asyncio.Queue(_INBOX)
        pumping = asyncio.create_task(pump(feed, inbox), name="chain subscription")
        try:
            begun = await self._catch_up(tasks)
            self._following, self._heard_at = True, loop.time()
            since, then = begun, self._progress.cursor
            check_at = loop.time() + _FIRST_CHECK
            while (item := await inbox.get()) is not None:
                self._heard_at = loop.time()
                if isinstance(item, TransactionRecord):
                    await self._take(item, tasks)
                    continue
                await self._projector.save_cursor()
                if loop.time() >= check_at:
                    await self._replay_since(since, tasks, wait=False)
                    self._start_look_over(tasks)
                    self._protocol.start(tasks)
                    since, then = then, self._progress.cursor
                    check_at = loop.time() + _CHECK
            await pumping
        finally:
            pumping.cancel()
            await asyncio.gather(pumping, return_exceptions=True)

    async def _catch_up(self, tasks: asyncio.TaskGroup) -> ChainCursor | None:
        """Settle what was missed, first of all derived state. Returns the cursor from which that began."""
        cursor = self._progress.cursor or await self._index.chain_cursor()
        await self._replay_since(cursor, tasks, wait=True)
        if self._untold:
            await self._look_over(tasks)
        await self._settling.done()
        await self._projector.protocol.look()
        await self._projector.save_cursor()
        if not self._caught_up.is_set():
            await check_content(self._content, self._index, self._projector)
            self._heard_at = asyncio.get_running_loop().time()
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
        untold = record.succeeded and record.logs_cut
        try:
            thread_ids = await threads_of(record, self._chain, self._index)
        except ChoraleError:
            raise
        except Exception:  # noqa: BLE001 -- one transaction's content must not stop the others
            _log.exception("Transaction %s cannot be read", record.signature)
            thread_ids, untold = set(), True
        if changes_in(record):
            self._protocol.start(tasks, record)
        if untold:
            self._untold[record.signature] = record.slot
        # The cursor stays before it until a look-over has found what the log does not tell.
        self._progress.begin(record.signature, record.slot, thread_ids | {_LOOK_OVER} if untold else thread_ids)
        for thread_id in thread_ids:
            await self._settling.start(tasks, thread_id, record.signature, record.slot, record)

    def _start_look_over(self, tasks: asyncio.TaskGroup) -> None:
        if self._untold and (self._looking is None or self._looking.done()):
            self._looking = tasks.create_task(self._look_over(tasks), name="look over all threads")

    async def _look_over(self, tasks: asyncio.TaskGroup) -> None:
        """Settle what the index is behind with; a failure leaves it to the next look."""
        try:
            seen = await snapshot(self._chain, self._index)
            told = [signature for signature, slot in self._untold.items() if slot <= seen.slot]
            started = [await self._settling.start(tasks, thread_id, "", seen.slot, None) for thread_id in seen.behind]
            if started:
                await asyncio.wait(started)
        except ChoraleError as error:
            _log.warning("All threads are looked over again later: %s", error)
            return
        except Exception:  # noqa: BLE001 -- the same look comes again; everything else goes on meanwhile
            _log.exception("All threads are looked over again later")
            return
        for signature in told:
            self._untold.pop(signature, None)
        self._progress.settle(_LOOK_OVER, told)

    async def _take_all(self, tasks: asyncio.TaskGroup) -> None:
        """Settle every thread that the index is behind with."""
        seen = await snapshot(self._chain, self._index)
        newest = ""  # where all history is gone
        if seen.newest is not None:
            newest = seen.newest.signature
            self._progress.begin(newest, seen.newest.slot, seen.behind)
        for thread_id in seen.behind:
            await self._settling.start(tasks, thread_id, newest, seen.slot, None)
