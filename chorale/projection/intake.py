"""From transactions to threads to settle: what is heard, what was missed, and what a log does not tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from chorale.domain.chain import HistoryEntry
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain, Index
from chorale.domain.projection import ChainCursor
from chorale.domain.updates import Authority
from chorale.projection.catch_up import Progress, missed, snapshot
from chorale.projection.floors import Floors
from chorale.projection.forks import ForkWatch
from chorale.projection.progress import ChainProgress
from chorale.projection.protocol_history import changes_in
from chorale.projection.protocol_looks import ProtocolLooks
from chorale.projection.settling import Change, Settling
from chorale.projection.thread_names import threads_of

_log = logging.getLogger(__name__)

_LOOK_OVER = "look over"  # stands among the threads of a transaction whose log does not tell them all
_BATCH = 100


class Intake:
    """Starts to settle, in `tasks`, whatever it is given or finds; each transaction once."""

    def __init__(
        self,
        chain: Chain,
        index: Index,
        chain_progress: ChainProgress,
        settling: Settling,
        protocol: ProtocolLooks,
        forks: ForkWatch,
        floors: Floors,
    ) -> None:
        self._chain = chain
        self._index = index
        self._progress = chain_progress
        self._settling = settling
        self._protocol = protocol
        self._forks = forks
        self._floors = floors
        self._untold: dict[str, int] = {}  # signatures and slots of transactions that call for a look-over
        self._looking: asyncio.Task[None] | None = None

    async def take(self, record: TransactionRecord, tasks: asyncio.TaskGroup, heard_at: float | None = None) -> None:
        """Settle what a transaction touched. Raises ChoraleError where the node cannot tell what that is."""
        if self._progress.knows(record.signature, record.slot):
            return
        untold = record.succeeded and record.logs_cut
        try:
            thread_ids = await threads_of(record, self._chain, self._index)
        except ChoraleError:
            raise
        except Exception:  # noqa: BLE001 -- one transaction's content must not stop the others
            _log.exception("Transaction %s cannot be read", record.signature)
            thread_ids, untold = set(), True
        if heard_at is None:  # what is heard has raised them already
            await self._floors.heard(record)
        if changes_in(record):
            self._protocol.start(tasks, record)
        if untold:
            self._untold[record.signature] = record.slot
        # The cursor stays before it until a look-over has found what the log does not tell.
        self._progress.begin(record.signature, record.slot, thread_ids | {_LOOK_OVER} if untold else thread_ids)
        for thread_id in thread_ids:
            await self._settling.start(tasks, Change(thread_id, record.slot, record.signature, record, heard_at))

    async def replay_since(
        self, cursor: ChainCursor | None, tasks: asyncio.TaskGroup, progress: Progress, *, wait: bool
    ) -> None:
        """Settle what is listed and not known yet, neither here nor to the index: a stretch before the cursor is listed
        anew at every start. `wait`: what is listed and not served yet is an error."""
        listed = await missed(self._chain, cursor) if cursor is not None else None
        if listed is None:
            if cursor is not None:
                self._forks.doubt()
            await self._take_all(tasks, progress)
            return
        entries = [entry for entry in listed if not self._progress.knows(entry.signature, entry.slot)]
        progress.more(len(entries))
        for at in range(0, len(entries), _BATCH):
            await self._replay(entries[at : at + _BATCH], tasks, wait=wait)
            progress.did(len(entries[at : at + _BATCH]))

    def start_look_over(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to look over all threads where a log calls for it, unless that is under way."""
        if self._untold and (self._looking is None or self._looking.done()):
            self._looking = tasks.create_task(self.look_over(tasks), name="look over all threads")

    async def look_over(self, tasks: asyncio.TaskGroup) -> None:
        """Settle what the index is behind with, where a log calls for it; a failure leaves it to the next look."""
        if not self._untold:
            return
        try:
            seen = await snapshot(self._chain, self._index)
            told = [signature for signature, slot in self._untold.items() if slot <= seen.slot]
            started = [await self._settling.start(tasks, Change(thread_id, seen.slot)) for thread_id in seen.behind]
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

    async def _replay(self, entries: Collection[HistoryEntry], tasks: asyncio.TaskGroup, *, wait: bool) -> None:
        succeeded = [entry.signature for entry in entries if entry.succeeded]
        settled = await self._index.wholly_logged(succeeded)
        signatures = [signature for signature in succeeded if signature not in settled]
        records = dict(zip(signatures, await self._chain.transactions(signatures), strict=True))
        for entry in entries:
            if not entry.succeeded or entry.signature in settled:
                self._progress.begin(entry.signature, entry.slot, ())
            elif (record := records[entry.signature]) is not None:
                await self.take(record, tasks)
            elif wait:
                raise AuthorityUnavailableError(
                    Authority.SOLANA, f"The node lists transaction {entry.signature} and does not serve it."
                )

    async def _take_all(self, tasks: asyncio.TaskGroup, progress: Progress) -> None:
        """Settle every thread that the index is behind with, and suspect those that it is ahead of."""
        seen = await snapshot(self._chain, self._index)
        self._forks.suspect(seen.ahead)
        newest = ""  # where all history is gone
        if seen.newest is not None:
            newest = seen.newest.signature
            self._progress.begin(newest, seen.newest.slot, seen.behind)
        progress.more(len(seen.behind))
        for thread_id in seen.behind:
            task = await self._settling.start(tasks, Change(thread_id, seen.slot, newest))
            task.add_done_callback(lambda _: progress.did(1))
