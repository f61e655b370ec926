"""Three connections to one file: a writer on its own thread, a reader for listings, one for the event loop's lookups.

A point lookup costs about 5 µs, a hop to another thread about 170: lookups run where they are asked for, and whatever
may walk many rows runs beside the loop. In WAL mode none of them waits for the writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from datasources.damage import DamagedRowError, tells_of_damage
from datasources.index.files import connect

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]


class Connections:
    """Belongs to the event loop that made it. What SQLite raises leaves as AuthorityUnavailableError; where it tells of
    a damaged file, `damaged` is called on the loop with what was met."""

    def __init__(self, file: Path, damaged: Callable[[str], None] = lambda _: None) -> None:
        self._damaged = damaged
        self._loop = asyncio.get_running_loop()
        self._write = connect(file, writable=True)
        self._read = connect(file, writable=False)
        self._look = connect(file, writable=False)
        self._writing = 0  # on the writer's thread
        self._writer = ThreadPoolExecutor(1, "index-writer")
        self._reader = ThreadPoolExecutor(1, "index-reader")

    def look(self, work: Work[T]) -> T:
        """Run a point lookup here and now. It must read its rows to the end, or the connection stays in the past."""
        return self._run(self._look, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` in one read transaction."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, partial(self._transact, self._read, "BEGIN", work))

    async def write(self, work: Work[T], done: Callable[[], None] = lambda: None, *, brief: bool = False) -> T:
        """Run `work` in one write transaction; `done` is called on the loop after the commit, even if the caller has
        gone away by then. What is `brief` runs here and now, unless another is being written."""
        if brief and not self._writing:
            result = self._transact(self._write, "BEGIN IMMEDIATE", work)
            done()
            return result
        loop = asyncio.get_running_loop()
        self._writing += 1
        future = loop.run_in_executor(self._writer, partial(self._transact, self._write, "BEGIN IMMEDIATE", work))
        future.add_done_callback(lambda _: self._written(done))
        return await asyncio.shield(future)

    def _written(self, done: Callable[[], None]) -> None:
        self._writing -= 1
        done()

    async def close(self) -> None:
        """Finish what was asked for and close."""
        for executor in (self._writer, self._reader):
            await asyncio.to_thread(executor.shutdown)
        for connection in (self._look, self._read, self._write):
            connection.close()

    def _transact(self, connection: sqlite3.Connection, begin: str, work: Work[T]) -> T:
        def whole(connection: sqlite3.Connection) -> T:
            connection.execute(begin)
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return self._run(connection, whole)

    def _run(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        try:
            return work(connection)
        except (sqlite3.Error, DamagedRowError) as error:
            if tells_of_damage(error):
                self._loop.call_soon_threadsafe(self._damaged, str(error))
            raise AuthorityUnavailableError(Authority.BACKEND, f"The index cannot be used: {error}.") from error
