"""The batching that every loader shares: what is wanted in one tick of the event loop is fetched in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BatchLoader(Generic[K, V]):
    """Values by key, each fetched at most once. Lives as long as one operation or one event, never longer."""

    def __init__(self) -> None:
        self._known: dict[K, asyncio.Future[V]] = {}
        self._queue: list[K] = []
        self._running: set[asyncio.Task[None]] = set()

    async def fetch(self, keys: Sequence[K]) -> Mapping[K, V | Exception]:
        """One call to the authority with a value or an error for every key; what it raises reaches all who wait."""
        raise NotImplementedError

    def load(self, key: K) -> asyncio.Future[V]:
        """The value of `key`, now or with this tick's batch. A caller that is cancelled takes it from nobody else."""
        future = self.want(key)
        return future if future.done() else asyncio.shield(future)

    def want(self, key: K) -> asyncio.Future[V]:
        """Put `key` into this tick's batch. The future belongs to everyone: await what `load` returns instead."""
        future = self._known.get(key)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._known[key] = loop.create_future()
            self._queue.append(key)
            if len(self._queue) == 1:
                loop.call_soon(self.dispatch)
        return future

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """Values in the order of `keys`."""
        return list(await asyncio.gather(*[self.load(key) for key in keys]))

    def prime(self, key: K, value: V) -> None:
        """Put a value that is known already; a known key keeps what it has."""
        if key not in self._known:
            future = self._known[key] = asyncio.get_running_loop().create_future()
            future.set_result(value)

    def loaded(self, key: K) -> V | None:
        """The value of `key` where it is there without waiting."""
        future = self._known.get(key)
        if future is None or not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return future.result()

    def dispatch(self) -> None:
        """Fetch what waits, in a task of its own: a cancelled caller does not cancel its neighbours."""
        if not self._queue:
            return
        batch, self._queue = self._queue, []
        task = asyncio.ensure_future(self._run(batch))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, batch: list[K]) -> None:
        futures = [self._known[key] for key in batch]
        try:
            values = await self.fetch(batch)
        except BaseException as error:  # whatever ends this task must reach those who wait for it
            for future in futures:
                if not future.done():
                    future.set_exception(error)
                    future.exception()  # retrieved: a caller that has gone leaves no warning behind
            if not isinstance(error, Exception):
                raise
            return
        for key, future in zip(batch, futures, strict=True):
            value = values[key]
            if future.done():
                continue
            if isinstance(value, Exception):
                future.set_exception(value)
                future.exception()  # retrieved, as above
            else:
                future.set_result(value)
