"""The same request twice is one update: shared while it runs, looked up once it has ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, TypeVar

from chorale.domain.ports import SessionStore
from chorale.domain.updates import RefusedError
from chorale.update.refusals import idempotency_conflict

T = TypeVar("T")


class Runs:
    """What is under way in this process, by scope."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[str, asyncio.Task[Any]]] = {}

    async def once(self, scope: str, digest: str, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer of the one run of `scope`. It goes on where its callers leave. Raises RefusedError where one of
        another digest is under way."""
        running = self._running.get(scope)
        if running is None:
            task: asyncio.Task[T] = asyncio.create_task(begin(), name=f"update {scope[:40]}")
            running = self._running[scope] = (digest, task)
            task.add_done_callback(lambda done: self._ended(scope, done))
        elif running[0] != digest:
            raise RefusedError(idempotency_conflict())
        answer: T = await asyncio.shield(running[1])
        return answer

    async def close(self) -> None:
        """Ends what is under way; it is found again by its record."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, scope: str, task: asyncio.Task[Any]) -> None:
        del self._running[scope]
        if not task.cancelled():
            task.exception()  # looked at, so that a run that everybody has left ends without a complaint


class Keys:
    """Idempotency keys, for all replicas: scoped to signer and mutation, each standing for one signature."""

    def __init__(self, sessions: SessionStore, program_id: str, ttl: float) -> None:
        self._sessions = sessions
        self._program_id = program_id
        self._ttl = ttl

    def scope(self, wallet: str, instruction: str, key: str) -> str:
        """Where the record of a key lies."""
        return f"idempotency:{self._program_id}:{wallet}:{instruction}:{sha256(key.encode()).hexdigest()}"

    async def signature(self, scope: str, digest: str) -> str | None:
        """The transaction that holds the key; None where it is free. Raises RefusedError for another digest."""
        record = await self._sessions.get(scope)
        if record is None:
            return None
        found = json.loads(record)
        if found["digest"] != digest:
            raise RefusedError(idempotency_conflict())
        return str(found["signature"])

    async def claim(self, scope: str, digest: str, signature: str, instead_of: str | None) -> bool:
        """Let the key stand for `signature`, or for it instead of one that did not land. False: another came first."""
        record = json.dumps({"digest": digest, "signature": signature}).encode()
        if instead_of is not None:
            await self._sessions.put(scope, record, self._ttl)
            return True
        return await self._sessions.add(scope, record, self._ttl)
