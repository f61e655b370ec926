"""Which entity cache: the address decides, here only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chorale.domain.caching import EntityCache
from chorale.limits import Limits
from datasources.cache.entities_memory import MemoryEntities


@asynccontextmanager
async def open_entities(cache_url: str, identity: str, limits: Limits) -> AsyncIterator[EntityCache]:
    """`memory:` is this process's own, `redis://` all replicas'. `identity` names genesis hash and program, so that
    another chain never meets entries of this one."""
    if cache_url == "memory:":
        yield MemoryEntities(limits)
        return
    from datasources.cache.entities_redis import open_redis_entities  # a client that an embedded start need not import

    async with open_redis_entities(cache_url, identity, limits) as entities:
        yield entities
