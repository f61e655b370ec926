"""Connections to one file: a writer, a reader on its own thread for listings, one for the event loop's lookups.

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
from datasources.index.writer import Work, Writer, committed

T = TypeVar("T")


class Connections:
    """Belongs to the event loop that made it. What SQLite raises leaves as AuthorityUnavailableError; where it tells of
    a damaged file, `damaged` is called on the loop with what was met."""

    def __init__(self, file: Path, damaged: Callable[[str], None] = lambda _: None) -> None:
        self._damaged = damaged
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(file, self._run)
        self._read = connect(file, writable=False)
        self._look = connect(file, writable=False)
        self._reader = ThreadPoolExecutor(1, "index-reader")

    def look(self, work: Work[T]) -> T:
        """Run a point lookup here and now. It must read its rows to the end, or the connection stays in the past."""
        return self._run(self._look, work)

    async def read(self, work: Work[T]) -> T:
        """Run `work` in one read transaction."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, partial(self._run, self._read, partial(_of_one_moment, work)))

    async def write(self, work: Work[T], done: Callable[[], None] = lambda: None, *, brief: bool = False) -> T:
        """Run `work` in one write transaction; see Writer."""
        return await self._writer.write(work, done, brief=brief)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await self._writer.close()
        await asyncio.to_thread(self._reader.shutdown)
        for connection in (self._look, self._read):
            connection.close()

    def _run(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        try:
            return work(connection)
        except (sqlite3.Error, DamagedRowError) as error:
            if tells_of_damage(error):
                self._loop.call_soon_threadsafe(self._damaged, str(error))
            raise AuthorityUnavailableError(Authority.BACKEND, f"The index cannot be used: {error}.") from error


def _of_one_moment(work: Work[T], connection: sqlite3.Connection) -> T:
    connection.execute("BEGIN")
    return committed(work, connection)
