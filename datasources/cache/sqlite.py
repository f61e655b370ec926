"""Session store in one SQLite file, on a thread of its own. Survives a restart; one process owns the file."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from datasources.damage import is_sound, set_aside

_log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_expiry ON entries (expires_at);
"""
_PUT = """
INSERT INTO entries (key, value, expires_at) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_ADD = _PUT + " WHERE entries.expires_at <= ?"
_COLLECT_EVERY = 256


@asynccontextmanager
async def open_sqlite_sessions(path: Path, clock: Callable[[], float] = time.time) -> AsyncIterator[SqliteSessions]:
    """The store in `path`, made where it is absent. A damaged file gets `.damaged` behind its name and an empty one
    takes its place: everybody signs in again, and what a mutation did is found again by its signature."""
    with ThreadPoolExecutor(1, thread_name_prefix="sessions") as executor:
        sessions = SqliteSessions(path, executor, clock)
        await sessions.start()
        try:
            yield sessions
        finally:
            await sessions.close()


class SqliteSessions:
    """Implements `chorale.domain.ports.SessionStore`; `clock` gives unix seconds."""

    def __init__(self, path: Path, executor: ThreadPoolExecutor, clock: Callable[[], float]) -> None:
        self._path = path
        self._executor = executor
        self._clock = clock
        self._writes = 0
        self._connection: sqlite3.Connection | None = None

    async def start(self) -> None:
        """Opens the file."""
        await asyncio.get_running_loop().run_in_executor(self._executor, self._open)

    async def close(self) -> None:
        """Closes the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._executor, connection.close)

    async def get(self, key: str) -> bytes | None:
        """The value, None where absent or expired."""
        row = await self._run("SELECT value FROM entries WHERE key = ? AND expires_at > ?", key, self._clock())
        return None if row is None else bytes(row[0])

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Set or replace."""
        await self._run(_PUT, key, value, self._clock() + ttl)

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Set only where absent or expired; False where it is there already."""
        now = self._clock()
        return await self._run(_ADD + " RETURNING 1", key, value, now + ttl, now) is not None

    async def take(self, key: str) -> bytes | None:
        """Read and delete in one statement."""
        row = await self._run(
            "DELETE FROM entries WHERE key = ? AND expires_at > ? RETURNING value", key, self._clock()
        )
        return None if row is None else bytes(row[0])

    async def delete(self, key: str) -> None:
        """Delete; absent is fine."""
        await self._run("DELETE FROM entries WHERE key = ?", key)

    async def _run(self, statement: str, *parameters: Any) -> Any:
        if self._connection is None:
            raise AuthorityUnavailableError(Authority.BACKEND, "The session store is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._execute, statement, parameters)

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and not is_sound(self._path):
                aside = set_aside(self._path, ".damaged")
                _log.warning("The session store is damaged and set aside as %s; everybody has to sign in again", aside)
            self._connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._path.chmod(0o600)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_SCHEMA)
            self._collect()
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error

    def _execute(self, statement: str, parameters: tuple[Any, ...]) -> Any:
        assert self._connection is not None
        try:
            rows = self._connection.execute(statement, parameters).fetchall()
            self._writes += not statement.startswith("SELECT")
            if self._writes >= _COLLECT_EVERY:
                self._collect()
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return rows[0] if rows else None

    def _failed(self, error: Exception) -> AuthorityUnavailableError:
        return AuthorityUnavailableError(
            Authority.BACKEND, f"The session store {self._path} failed: {error}. Check the file and the disk."
        )

    def _collect(self) -> None:
        assert self._connection is not None
        self._connection.execute("DELETE FROM entries WHERE expires_at <= ?", (self._clock(),))
        self._writes = 0
