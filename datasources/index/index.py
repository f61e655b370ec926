"""`SqliteIndex`: the ports `IndexReader` and `Index` on SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from sqlite3 import Connection

from chorale.domain.content import StoredContent
from chorale.domain.events import EventPosition, LoggedEvent, NewEvent
from chorale.domain.projection import ChainCursor, Projection, ThreadCorrection
from chorale.domain.treasury import ProtocolChange, ProtocolProjection, ProtocolTransaction
from datasources.index import corrections, log, treasury, writes
from datasources.index.connections import Connections
from datasources.index.queries import IndexQueries
from datasources.index.wakeups import Wakeups

_BRIEF = 16  # rows that are written where they come up; more of them would hold up the event loop

PROTOCOL = "protocol"
"""Whom listeners of the protocol listen to, among thread ids."""


class SqliteIndex(IndexQueries):
    """One index file, open: its questions, its one writer, and those who wait for it."""

    def __init__(self, connections: Connections, log_id: str) -> None:
        super().__init__(connections, log_id)
        self._wakeups = Wakeups()

    @property
    def ended(self) -> str | None:
        """See IndexReader."""
        return self._wakeups.ended

    async def end(self, reason: str) -> None:
        """See Index."""
        self._wakeups.end(reason)

    async def close(self) -> None:
        """Commit what was asked for, end all waiting, close the file."""
        self._wakeups.close()
        await self._connections.close()

    async def wait_for(self, thread_id: str, sequence: int, timeout: float) -> bool:
        """See IndexReader."""
        with self._wakeups.listen(thread_id) as changed:
            try:
                async with asyncio.timeout(timeout):
                    while await self.thread_sequence(thread_id) < sequence:
                        if self._wakeups.closed:
                            return False
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                return False
        return True

    async def wait_for_protocol(self, sequence: int, timeout: float) -> bool:
        """See IndexReader."""
        with self._wakeups.listen(PROTOCOL) as changed:
            try:
                async with asyncio.timeout(timeout):
                    while self._connections.look(treasury.reached) < sequence:
                        if self._wakeups.closed:
                            return False
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                return False
        return True

    async def wake(self, thread_id: str) -> AsyncIterator[None]:
        """See IndexReader. Ends when the index is closed."""
        with self._wakeups.listen(thread_id) as changed:
            while not self._wakeups.closed:
                changed.clear()
                yield
                await changed.wait()

    async def apply(self, projection: Projection) -> EventPosition:
        """See Index."""
        thread_id = projection.thread.thread_id

        def work(connection: Connection) -> EventPosition:
            writes.apply(connection, projection)
            return log.latest(connection, self._log_id, thread_id)

        brief = len(projection.messages) + len(projection.events) <= _BRIEF and not projection.replace
        return await self._connections.write(work, lambda: self._wakeups.notify(thread_id), brief=brief)

    async def apply_protocol(self, projection: ProtocolProjection) -> None:
        """See Index."""
        await self._connections.write(
            lambda connection: treasury.apply(connection, projection), lambda: self._wakeups.notify(PROTOCOL)
        )

    async def correct(self, correction: ThreadCorrection) -> Sequence[str] | None:
        """See Index."""
        return await self._connections.write(
            lambda connection: corrections.correct(connection, self._log_id, correction),
            lambda: self._wakeups.notify(correction.thread_id),
        )

    async def forget_change(self, change: ProtocolChange) -> None:
        """See Index."""
        await self._connections.write(lambda connection: treasury.forget(connection, change))

    async def forget_transactions(self, lost: Sequence[ProtocolTransaction]) -> None:
        """See Index."""
        await self._connections.write(lambda connection: treasury.forget_transactions(connection, lost))

    async def append(self, event: NewEvent) -> LoggedEvent | None:
        """See Index."""
        return await self._connections.write(
            lambda connection: log.append(
                connection, self._log_id, writes.number_of(connection, event.thread_id), event
            ),
            lambda: self._wakeups.notify(event.thread_id),
        )

    async def stage(self, staged: Sequence[StoredContent]) -> None:
        """See Index."""
        await self._connections.write(lambda connection: writes.stage(connection, staged))

    async def unstage(self, content_hashes: Sequence[str]) -> None:
        """See Index."""
        await self._connections.write(lambda connection: writes.unstage(connection, content_hashes))

    async def advance(self, cursor: ChainCursor) -> None:
        """See Index."""
        await self._connections.write(lambda connection: writes.advance(connection, cursor), brief=True)
