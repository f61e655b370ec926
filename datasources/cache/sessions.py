"""Which session store: the address decides, here only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chorale.domain.ports import SessionStore
from datasources.cache.redis import open_redis_sessions
from datasources.cache.sqlite import open_sqlite_sessions


@asynccontextmanager
async def open_sessions(cache_url: str, path: Path) -> AsyncIterator[SessionStore]:
    """`memory:` keeps sessions in the SQLite file `path`, so that a restart signs nobody out; `redis://` shares them.

    Raises AuthorityUnavailableError where Redis is away.
    """
    store = open_sqlite_sessions(path) if cache_url == "memory:" else open_redis_sessions(cache_url)
    async with store as sessions:
        yield sessions
