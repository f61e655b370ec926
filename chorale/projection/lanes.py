"""One lane per thread: whoever asks while a round is under way is answered by the next, all together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.projection import Settled
from chorale.domain.updates import Authority

_log = logging.getLogger(__name__)

_WIDTH = 8  # lanes that work at the same time
_RECORDS = 256  # transactions that one lane keeps for its next round


@dataclass(slots=True)
class Request:
    """One caller: the transaction to include, if any, and the slot that must be read."""

    signature: str | None
    min_slot: int
    future: asyncio.Future[Settled]
    attempts: int = 0

    def answer(self, settled: Settled) -> None:
        """Let the caller go on, who may have gone already."""
        if not self.future.done():
            self.future.set_result(settled)

    def refuse(self, error: ChoraleError) -> None:
        """Let the caller fail."""
        if not self.future.done():
            self.future.set_exception(error)


@dataclass(slots=True)
class Lane:
    """Requests and known transactions of one thread, by signature; kept while somebody asks."""

    thread_id: str
    requests: list[Request] = field(default_factory=list)
    records: dict[str, TransactionRecord] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    def know(self, record: TransactionRecord) -> None:
        """Keep a transaction for the next round, of two tellings that of the later slot, in which it was recorded; what
        is dropped is asked for again."""
        known = self.records.get(record.signature)
        if known is not None and known.slot > record.slot:
            return
        self.records[record.signature] = record
        if len(self.records) > _RECORDS:
            del self.records[next(iter(self.records))]


Round = Callable[[Lane, Sequence[Request]], Awaitable[None]]


class Lanes:
    """Runs `work` for each lane with requests; a round answers them, refuses them or puts them back.

    Those who wait meet ChoraleError only: anything else that a round raises is logged, and refuses its requests.
    """

    def __init__(self, work: Round) -> None:
        self._round = work
        self._lanes: dict[str, Lane] = {}
        self._width = asyncio.Semaphore(_WIDTH)

    async def ask(
        self, thread_id: str, signature: str | None, min_slot: int, record: TransactionRecord | None
    ) -> Settled:
        """Wait for the round that answers."""
        lane = self._lanes.setdefault(thread_id, Lane(thread_id))
        if record is not None:
            lane.know(record)
        request = Request(signature, min_slot, asyncio.get_running_loop().create_future())
        lane.requests.append(request)
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(lane), name=f"project {thread_id[:8]}")
        return await request.future

    def expect(self, thread_id: str, record: TransactionRecord) -> None:
        """Somebody is about to ask with this transaction: a round that is under way need not look for it."""
        lane = self._lanes.get(thread_id)
        if lane is not None:
            lane.know(record)

    @property
    def waiting(self) -> int:
        """How many requests wait for their round."""
        return sum(len(lane.requests) for lane in self._lanes.values())

    async def close(self) -> None:
        """End all rounds where they stand and refuse those who wait."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, lane: Lane) -> None:
        batch: list[Request] = []
        try:
            while lane.requests:
                batch, lane.requests = lane.requests, []
                try:
                    async with self._width:
                        await self._round(lane, batch)
                except ChoraleError as error:
                    _refuse(batch, error)
                except Exception:  # noqa: BLE001 -- one thread's failure must not end the task that serves all threads
                    _log.exception("A round of thread %s failed unexpectedly.", lane.thread_id)
                    _refuse(batch, ChoraleError("Following this thread failed inside the server. Try again shortly."))
        finally:
            del self._lanes[lane.thread_id]
            _refuse((*batch, *lane.requests), AuthorityUnavailableError(Authority.BACKEND, "The server is stopping."))


def _refuse(requests: Iterable[Request], error: ChoraleError) -> None:
    for request in requests:
        request.refuse(error)
