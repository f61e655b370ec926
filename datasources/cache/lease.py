"""Which lease: the address decides, here only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chorale.domain.lease import Lease, OwnLease


@asynccontextmanager
async def open_lease(cache_url: str, content_url: str, shared: str, ttl: float) -> AsyncIterator[Lease]:
    """The lease of what `shared` names, for `ttl` seconds at a time.

    With `file:` the content belongs to this process alone, and with `memory:` no other replica is known of: then the
    lease is always held. Redis may be away, now or later: nobody holds it meanwhile.
    """
    if content_url == "file:" or cache_url == "memory:":
        yield OwnLease()
        return
    from datasources.cache.lease_redis import open_redis_lease  # a client that an embedded start need not import

    async with open_redis_lease(cache_url, f"{content_url}\n{shared}", ttl) as lease:
        yield lease
