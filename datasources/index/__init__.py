"""The backend's own view in SQLite: derived, rebuildable, one file per chain, program and model."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chorale.domain.errors import StartupError
from datasources.index.connections import Connections
from datasources.index.files import mark_damaged, prepare
from datasources.index.index import SqliteIndex

__all__ = ["SqliteIndex", "open_index"]


@asynccontextmanager
async def open_index(
    path: Path,
    genesis_hash: str,
    program_id: str,
    fingerprint: str,
    damaged: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[SqliteIndex]:
    """The index of this chain, program and model in the folder `path`. `damaged` is called with what was met once the
    file turns out to be damaged: opened again, it is derived anew. Raises StartupError where it cannot be kept."""

    def met(what: str) -> None:
        mark_damaged(file)
        damaged(what)

    try:
        file, log_id = prepare(path, genesis_hash, program_id, fingerprint)
        connections = Connections(file, met)
    except (OSError, sqlite3.Error) as error:
        raise StartupError(
            f"The index in {path} cannot be opened: {error}. Delete that folder to rebuild it."
        ) from error
    index = SqliteIndex(connections, log_id)
    try:
        yield index
    finally:
        await index.close()
