"""Threads on their way to the state of the chain, for the watcher: many at a time, each however often it takes."""

from __future__ import annotations

import asyncio
import logging

from chorale.domain.errors import ChoraleError
from chorale.domain.events import TransactionRecord
from chorale.projector import Projector

_log = logging.getLogger(__name__)

_AT_ONCE = 256  # threads; further transactions wait in the inbox
_ATTEMPTS = 3  # at a thread that fails unexpectedly; then it waits for its next transaction
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # s between attempts, doubling


class Settling:
    """Has the projector settle threads, then lets the cursor pass their transactions."""

    def __init__(self, projector: Projector) -> None:
        self._projector = projector
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(
        self, tasks: asyncio.TaskGroup, thread_id: str, signature: str, slot: int, record: TransactionRecord | None
    ) -> asyncio.Task[None]:
        """Begin once there is a place; the task ends when the thread is settled, and does not fail."""
        await self._places.acquire()
        task = tasks.create_task(self._settle(thread_id, signature, slot, record), name=f"settle {thread_id[:8]}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._places.release())
        return task

    async def done(self) -> None:
        """Wait for all that has begun."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _settle(self, thread_id: str, signature: str, slot: int, record: TransactionRecord | None) -> None:
        pause, faults = _FIRST_PAUSE, 0
        while faults < _ATTEMPTS:
            try:
                asked = None if record is None else record.signature
                await self._projector.settle(thread_id, asked, min_slot=slot, record=record)
                break
            except ChoraleError as error:
                _log.warning("Thread %s is settled again in %.1f s: %s", thread_id, pause, error)
            except Exception:  # noqa: BLE001 -- one thread must not stop the others
                faults += 1
                _log.exception("Thread %s cannot be settled (%d of %d attempts)", thread_id, faults, _ATTEMPTS)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._projector.progress.settle(thread_id, [signature])
