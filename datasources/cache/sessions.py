"""Which session store: the address decides, here only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from chorale.domain.ports import SessionStore
from datasources.cache.sqlite import open_sqlite_sessions


@asynccontextmanager
async def open_sessions(cache_url: str, path: Path) -> AsyncIterator[SessionStore]:
    """`memory:` keeps sessions in the SQLite file `path`, so that a restart signs nobody out; `redis://` shares them.

    Raises AuthorityUnavailableError where Redis is away.
    """
    if cache_url == "memory:":
        store: AbstractAsyncContextManager[SessionStore] = open_sqlite_sessions(path)
    else:
        from datasources.cache.redis import open_redis_sessions  # a client that an embedded start need not import

        store = open_redis_sessions(cache_url)
    async with store as sessions:
        yield sessions
