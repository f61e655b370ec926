"""Redis through aiocache, shared by all replicas: how it is opened, and the session store in it.

Time is limited by who asks, with `asyncio.timeout`: under Python 3.11 the limits of redis-py and aiocache are made of
`asyncio.wait_for`, which at times swallows that its task is cancelled, and a server's end would wait for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from aiocache import RedisCache
from aiocache.serializers import BaseSerializer
from redis import exceptions
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority

_NAMESPACE = "chorale"
_TIMEOUT = 5.0
_RETRIES = 2
_SEAL_BYTES = 8
_CONNECTIONS = 32  # of one process and purpose; who finds none free waits

REDIS_FAILS = (exceptions.RedisError, OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError)
"""What redis-py raises where Redis is away (RuntimeError: uvloop's word for a connection that was reset), and where an
answer breaks that is not of the protocol or of another type."""
LEAN: Any = {"protocol": 2, "driver_info": None}
"""A connection that says nothing before the first command: each greeting costs a way there and back, and on a slow wire
nothing would be left of a command's time."""
_AGAIN: Any = (exceptions.ConnectionError, exceptions.TimeoutError, RuntimeError)

T = TypeVar("T")


class BytesSerializer(BaseSerializer):  # type: ignore[misc]  # aiocache publishes no types
    """Bytes as they are; aiocache's own serializers decode what Redis returns."""

    DEFAULT_ENCODING = None

    def dumps(self, value: bytes) -> bytes:
        """Unchanged."""
        return value

    def loads(self, value: bytes | None) -> bytes | None:
        """Unchanged."""
        return value


@asynccontextmanager
async def open_redis_cache(url: str, *, timeout: float, retries: int) -> AsyncIterator[RedisCache]:
    """aiocache over one connection pool to `redis(s)://[user:password@]host[:port][/db]`, which need not be there yet.
    `timeout` in seconds, for a connection; what is asked over it takes as long as who asks allows."""
    parts = urlsplit(url)
    cache = RedisCache(
        serializer=BytesSerializer(),
        namespace=_NAMESPACE,
        timeout=None,
        endpoint=parts.hostname or "127.0.0.1",
        port=parts.port or 6379,
        db=int(parts.path.strip("/") or 0),
        password=unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        create_connection_timeout=timeout,
        pool_max_size=_CONNECTIONS,
        connection_pool_class=BlockingConnectionPool,
        connection_pool_kwargs={
            "username": unquote(parts.username) if parts.username else None,
            "timeout": timeout,
            "socket_timeout": None,
            **LEAN,
            # A command that meets a connection which was reset has not left yet, whatever it does.
            "retry": Retry(ExponentialBackoff(cap=0.2, base=0.02), retries, _AGAIN),
        },
    )
    try:
        yield cache
    finally:
        await cache.client.aclose()  # aiocache's own close() calls what redis-py has deprecated


@asynccontextmanager
async def open_redis_sessions(url: str) -> AsyncIterator[RedisSessions]:
    """The store behind `redis(s)://…`. Raises AuthorityUnavailableError where it is away."""
    async with open_redis_cache(url, timeout=_TIMEOUT, retries=_RETRIES) as cache:
        sessions = RedisSessions(cache)
        await sessions.get("ready")
        yield sessions


class RedisSessions:
    """Implements `chorale.domain.ports.SessionStore`. Every value carries a seal over itself and its key: what comes
    back altered, or for another key, is no answer."""

    def __init__(self, cache: RedisCache) -> None:
        self._cache = cache

    async def get(self, key: str) -> bytes | None:
        """The value, None where absent or expired."""
        return _opened(key, await _guarded(self._cache.get(key)))

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Set or replace."""
        await _guarded(self._cache.set(key, _sealed(key, value), ttl=_milliseconds(ttl) / 1000))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """SET NX."""
        named, sealed = f"{_NAMESPACE}:{key}", _sealed(key, value)
        return await _guarded(self._cache.raw("set", named, sealed, nx=True, px=_milliseconds(ttl))) is not None

    async def take(self, key: str) -> bytes | None:
        """GETDEL."""
        return _opened(key, await _guarded(self._cache.raw("getdel", f"{_NAMESPACE}:{key}")))

    async def delete(self, key: str) -> None:
        """Delete; absent is fine."""
        await _guarded(self._cache.delete(key))


async def _guarded(answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_TIMEOUT):
            return await answer
    except REDIS_FAILS as error:
        raise _unavailable(type(error).__name__) from error


def _sealed(key: str, value: bytes) -> bytes:
    return _seal(key, value) + value


def _opened(key: str, answer: Any) -> bytes | None:
    if answer is None:
        return None
    if not isinstance(answer, bytes) or _seal(key, answer[_SEAL_BYTES:]) != answer[:_SEAL_BYTES]:
        raise _unavailable("its answer is not what was stored")
    return answer[_SEAL_BYTES:]


def _seal(key: str, value: bytes) -> bytes:
    return blake2b(f"{len(key)}:{key}".encode() + value, digest_size=_SEAL_BYTES).digest()


def _unavailable(detail: str) -> AuthorityUnavailableError:
    return AuthorityUnavailableError(Authority.BACKEND, f"Redis could not be reached ({detail}). Try again shortly.")


def _milliseconds(ttl: float) -> int:
    return max(int(ttl * 1000), 1)
