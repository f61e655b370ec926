"""The lease in Redis: one key that its holder keeps alive, and that whoever waits takes once it is gone."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from datasources.cache.redis import LEAN, REDIS_FAILS

_log = logging.getLogger(__name__)

_KEY = "chorale:lease:"
_MARGIN = 0.2  # part of the time to live in which the holder no longer counts on it: clocks drift, writes take time
_RENEW = 0.3  # part of the time to live between renewals
_LOOK = 0.2  # part of the time to live between looks of those who wait, spread so that they do not meet

# Each compares and acts in one step. Both return the holder's name, "" where there is none now.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return holder
"""
_RELEASE = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return ''
end
return holder or ''
"""


@asynccontextmanager
async def open_redis_lease(url: str, shared: str, ttl: float) -> AsyncIterator[RedisLease]:
    """A candidate for the lease of `shared`, which takes it as soon as it can and gives it back at the end."""
    client = Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=None,  # see datasources.cache.redis
        socket_connect_timeout=ttl * _MARGIN,
        retry=Retry(NoBackoff(), 0),  # the next look comes soon enough
        **LEAN,
    )
    lease = RedisLease(client, _KEY + sha256(shared.encode()).hexdigest()[:32], ttl)
    await lease.look()
    keeping = asyncio.create_task(lease.run(), name="keep the lease")
    try:
        yield lease
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await lease.release()
        await client.aclose()


class RedisLease:
    """Implements `chorale.domain.lease.Lease`. `run` keeps it; where Redis does not answer, it runs out by itself."""

    def __init__(self, client: Redis, key: str, ttl: float) -> None:
        self._client = client
        self._key = key
        self._ttl = ttl
        self._name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self._holder = ""
        self._until = 0.0  # by the loop's clock
        self._said = False  # the value of `held` that everybody was told of
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        """This replica's own."""
        return self._name

    @property
    def held(self) -> bool:
        """See Lease."""
        return asyncio.get_running_loop().time() < self._until

    @property
    def holder(self) -> str:
        """See Lease."""
        return self._holder

    async def wait_for_change(self) -> None:
        """See Lease."""
        await self._changed.wait()

    async def run(self) -> None:
        """Renew the lease, or wait to take it, until cancelled."""
        while True:
            pause = self._ttl * (_RENEW if self.held else _LOOK * random.uniform(0.5, 1.0))  # noqa: S311 -- spreads
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._ran_out()
            await self.look()

    async def look(self) -> None:
        """Take the lease where it is free, renew it where it is held."""
        begun = asyncio.get_running_loop().time()
        holder = await self._ask(_TAKE, self._name, str(int(self._ttl * 1000)))
        if holder is not None:
            self._holder = holder
            # Counted from before the question: Redis may have begun to count right then.
            self._until = begun + self._ttl * (1 - _MARGIN) if holder == self._name else 0.0
        elif not self.held:
            self._holder = ""
        self._tell()

    async def release(self) -> None:
        """Give it back, so that nobody has to wait for its end."""
        self._until = 0.0
        self._holder = await self._ask(_RELEASE, self._name) or ""
        self._tell()

    async def _ask(self, script: str, *arguments: str) -> str | None:
        """What Redis answers; None where it does not."""
        try:
            async with asyncio.timeout(self._ttl * _MARGIN):
                return str(await cast("Awaitable[str]", self._client.eval(script, 1, self._key, *arguments)))
        except REDIS_FAILS as error:
            _log.warning("The lease cannot be asked for: %s", type(error).__name__)
            return None

    async def _ran_out(self) -> None:
        """Return when a held lease has run out."""
        if not self.held:
            await asyncio.Event().wait()
        await asyncio.sleep(self._until - asyncio.get_running_loop().time())

    def _tell(self) -> None:
        if self.held is not self._said:
            self._said = self.held
            self._changed.set()
            self._changed = asyncio.Event()
