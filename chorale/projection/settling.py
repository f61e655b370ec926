"""Threads on their way to the state of the chain, for the watcher: many at a time, each a bounded number of times.

What is new comes first: threads of a catch-up have places of their own, few enough that a thousand of them hold up no
live transaction. A thread that cannot be settled gives its place back and is tried again regularly, by itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from chorale.domain.errors import ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.domain.measures import Measures
from chorale.projector import Projector

_log = logging.getLogger(__name__)

_AT_ONCE = 256  # threads of live transactions; further ones wait in the inbox
_CATCHING_UP = 32  # threads of a catch-up or a look
_ATTEMPTS = 3  # at a thread that fails unexpectedly
_TRIES = 5  # at a thread while an authority is away
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0  # s between attempts, doubling
_LATER = 2.0  # s between rounds over the threads that were left


@dataclass(frozen=True, slots=True)
class Change:
    """A thread to settle up to `slot`, by its transaction where one is known. `heard_at` is the unix time at which the
    subscription told of it; None where it was found otherwise."""

    thread_id: str
    slot: int
    signature: str = ""
    record: TransactionRecord | None = None
    heard_at: float | None = None


class Settling:
    """Has the projector settle threads, then lets the cursor pass their transactions. `left` are the threads that are
    tried again, each with the slot that it has to reach and what is wrong."""

    def __init__(self, projector: Projector, measures: Measures) -> None:
        self._projector = projector
        self._measures = measures
        self._live = asyncio.Semaphore(_AT_ONCE)
        self._caught = asyncio.Semaphore(_CATCHING_UP)
        self._tasks: set[asyncio.Task[None]] = set()
        self._left_now = asyncio.Event()
        self.left: dict[str, tuple[int, str]] = {}

    async def start(self, tasks: asyncio.TaskGroup, change: Change) -> asyncio.Task[None]:
        """Begin once there is a place; the task ends when the thread is settled or left, and does not fail."""
        if change.record is not None:
            self._projector.expect(change.thread_id, change.record)
        places = self._live if change.heard_at is not None else self._caught
        await places.acquire()
        task = tasks.create_task(self._settle(change), name=f"settle {change.thread_id[:8]}")
        self._tasks.add(task)
        self._measures.queue_depth("settling", len(self._tasks))
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: places.release())
        task.add_done_callback(lambda _: self._measures.queue_depth("settling", len(self._tasks)))
        return task

    async def done(self) -> None:
        """Wait for all that has begun."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def run(self) -> None:
        """Try the threads that were left again and again, until cancelled."""
        while True:
            await self._left_now.wait()
            await asyncio.sleep(_LATER)
            await self._once_more()
            if not self.left:
                self._left_now.clear()

    async def _settle(self, change: Change) -> None:
        pause, faults, problem, record = _FIRST_PAUSE, 0, "", change.record
        for _ in range(_TRIES):
            try:
                asked = None if change.record is None else change.record.signature
                settled = await self._projector.settle(change.thread_id, asked, min_slot=change.slot, record=record)
            except ChoraleError as error:
                problem = str(error)
                _log.warning("Thread %s is settled again in %.1f s: %s", change.thread_id, pause, error)
            except Exception as error:  # noqa: BLE001 -- one thread must not stop the others
                faults, problem = faults + 1, repr(error)
                _log.exception("Thread %s cannot be settled (%d of %d attempts)", change.thread_id, faults, _ATTEMPTS)
                if faults == _ATTEMPTS:
                    break
            else:
                self._passed(change, settled.slot)
                return
            record = None  # the chain is asked from here on: what was told may not have been recorded
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self.left[change.thread_id] = (max(change.slot, self.left.get(change.thread_id, (0, ""))[0]), problem)
        self._left_now.set()
        if faults == _ATTEMPTS:  # what cannot be read must not keep the cursor where it is for ever
            self._projector.progress.settle(change.thread_id, [change.signature])

    def _passed(self, change: Change, slot: int) -> None:
        progress = self._projector.progress
        progress.settle(change.thread_id, [change.signature])
        progress.settle_through(change.thread_id, slot)
        self.left.pop(change.thread_id, None)
        since = change.heard_at
        if since is None and change.record is not None:
            since = change.record.block_time  # missed while away: whole seconds of the chain's clock
        if since is not None:
            self._measures.state_synced(max(0.0, time.time() - since))

    async def _once_more(self) -> None:
        """One attempt at each thread that was left, the one that waits longest first."""
        waiting = iter(list(self.left.items()))

        async def work() -> None:
            for thread_id, owed in waiting:
                await self._again(thread_id, owed)

        await asyncio.gather(*(work() for _ in range(_CATCHING_UP)))

    async def _again(self, thread_id: str, owed: tuple[int, str]) -> None:
        slot = owed[0]
        try:
            # Without its transaction: an account read at that slot holds what the transaction did, if it is there.
            settled = await self._projector.settle(thread_id, min_slot=slot)
        except Exception as error:  # noqa: BLE001 -- met again in the next round
            if self.left.get(thread_id) == owed:
                del self.left[thread_id]
                self.left[thread_id] = (slot, str(error))  # behind those that have waited as long
            return
        self._projector.progress.settle_through(thread_id, max(slot, settled.slot))
        if self.left.get(thread_id) == owed:
            del self.left[thread_id]
            _log.warning("Thread %s is settled after all", thread_id)
