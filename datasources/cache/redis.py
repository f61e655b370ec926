"""Redis through aiocache, shared by all replicas: how it is opened, and the session store in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from aiocache import RedisCache
from aiocache.serializers import BaseSerializer
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority

_NAMESPACE = "chorale"
_TIMEOUT = 5.0
_RETRIES = 2

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
    `timeout` in seconds."""
    parts = urlsplit(url)
    cache = RedisCache(
        serializer=BytesSerializer(),
        namespace=_NAMESPACE,
        timeout=2 * timeout,
        endpoint=parts.hostname or "127.0.0.1",
        port=parts.port or 6379,
        db=int(parts.path.strip("/") or 0),
        password=unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        create_connection_timeout=timeout,
        connection_pool_kwargs={
            "username": unquote(parts.username) if parts.username else None,
            "socket_timeout": timeout,
            "retry": Retry(ExponentialBackoff(cap=0.2, base=0.02), retries),
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
    """Implements `chorale.domain.ports.SessionStore`."""

    def __init__(self, cache: RedisCache) -> None:
        self._cache = cache

    async def get(self, key: str) -> bytes | None:
        """The value, None where absent or expired."""
        value: bytes | None = await _guarded(self._cache.get(key))
        return value

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Set or replace."""
        await _guarded(self._cache.set(key, value, ttl=_at_least_a_millisecond(ttl)))

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """SET NX."""
        try:
            await _guarded(self._cache.add(key, value, ttl=_at_least_a_millisecond(ttl)))
        except ValueError:
            return False  # aiocache's way to say that the key exists
        return True

    async def take(self, key: str) -> bytes | None:
        """GETDEL."""
        value: bytes | None = await _guarded(self._cache.raw("getdel", f"{_NAMESPACE}:{key}"))
        return value

    async def delete(self, key: str) -> None:
        """Delete; absent is fine."""
        await _guarded(self._cache.delete(key))


async def _guarded(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except (RedisError, OSError, TimeoutError) as error:
        raise AuthorityUnavailableError(
            Authority.BACKEND, f"Redis could not be reached ({type(error).__name__}). Try again shortly."
        ) from error


def _at_least_a_millisecond(ttl: float) -> float:
    return max(float(ttl), 0.001)
