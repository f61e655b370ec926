"""The index's one writer: what is brief is written where it comes up, everything else on a thread of its own.

A brief write takes about 0.3 ms, the way to a thread and back as long again, and while the event loop is busy a
multiple of that. What may wait for the disk, or for others, never runs on the loop: checkpoints of the log that SQLite
writes ahead, and a lock that somebody else holds on the file.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from datasources.index.files import connect

T = TypeVar("T")

Work = Callable[[sqlite3.Connection], T]

_log = logging.getLogger(__name__)

_PATIENCE = 10_000  # ms for a lock that another process holds
_CHECKPOINT = 500  # writes, some 25 MB of the log


class Run(Protocol):
    """Runs `work`, and turns what SQLite raises."""

    def __call__(self, connection: sqlite3.Connection, work: Work[T]) -> T: ...


class Writer:
    """Belongs to the event loop that made it."""

    def __init__(self, file: Path, run: Run) -> None:
        self._run = run
        self._connection = connect(file, writable=True)
        self._connection.execute("PRAGMA busy_timeout = 0")
        self._connection.execute("PRAGMA wal_autocheckpoint = 0")
        self._thread = ThreadPoolExecutor(1, "index-writer")
        self._under_way = 0  # on the thread
        self._unchecked = 0

    async def write(self, work: Work[T], done: Callable[[], None], *, brief: bool) -> T:
        """Run `work` in one transaction; `done` is called on the loop after the commit, even if the caller has gone
        away by then. Writes are made in the order in which they are asked for."""
        if brief and not self._under_way and self._run(self._connection, _begun):
            result = self._run(self._connection, partial(committed, work))
            self._written(done)
            return result
        self._under_way += 1
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._patiently, work)
        future.add_done_callback(lambda _: self._ended(done))
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Finish what was asked for and close."""
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    def _patiently(self, work: Work[T]) -> T:
        def whole(connection: sqlite3.Connection) -> T:
            connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
            try:
                connection.execute("BEGIN IMMEDIATE")
                return committed(work, connection)
            finally:
                connection.execute("PRAGMA busy_timeout = 0")

        return self._run(self._connection, whole)

    def _ended(self, done: Callable[[], None]) -> None:
        self._under_way -= 1
        self._written(done)

    def _written(self, done: Callable[[], None]) -> None:
        self._unchecked += 1
        if self._unchecked >= _CHECKPOINT:
            self._unchecked = 0
            # Writes queue behind it: one that came in between would leave the log no moment to begin anew.
            self._under_way += 1
            checkpoint = asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoint)
            checkpoint.add_done_callback(self._checked)
        done()

    def _checked(self, _: asyncio.Future[None]) -> None:
        self._under_way -= 1

    def _checkpoint(self) -> None:
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error as error:
            _log.warning("The index's log was not brought into its file: %s", error)


def _begun(connection: sqlite3.Connection) -> bool:
    """Whether a transaction has begun; not where somebody else writes to the file."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


def committed(work: Work[T], connection: sqlite3.Connection) -> T:
    """What `work` gives, in the transaction that has begun; nothing stays of it where it fails."""
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
