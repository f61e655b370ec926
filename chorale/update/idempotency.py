"""The same request twice is one update: shared while it runs, looked up once it has ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from hashlib import sha256
from typing import Any, TypeVar

from chorale.domain.ports import SessionStore
from chorale.domain.updates import RefusedError
from chorale.update.log import UpdateFacts
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

    async def holder(self, scope: str, digest: str) -> UpdateFacts | None:
        """The transaction that holds the key; None where it is free. Raises RefusedError for another digest."""
        record = await self._sessions.get(scope)
        if record is None:
            return None
        found = json.loads(record)
        if found["digest"] != digest:
            raise RefusedError(idempotency_conflict())
        return UpdateFacts(**found["facts"])

    async def claim(self, scope: str, digest: str, facts: UpdateFacts, instead_of: UpdateFacts | None) -> bool:
        """Let the key stand for a transaction, or for it instead of one that did not land. False: another came first.

        The record holds all that it takes to ask the chain about the transaction: whoever finds the key taken never
        has to guess whether that was sent.
        """
        record = json.dumps({"digest": digest, "facts": asdict(facts)}).encode()
        if instead_of is None:
            return await self._sessions.add(scope, record, self._ttl)
        if instead_of.signature == facts.signature:
            return True
        # Of several that find the same one dead, one takes its place; the others see to it that it shows.
        heir = f"{scope}:{instead_of.signature}"
        first = await self._sessions.add(heir, record, self._ttl)
        if not first:
            record = await self._sessions.get(heir) or record
        await self._sessions.put(scope, record, self._ttl)
        return first or bool(json.loads(record)["facts"]["signature"] == facts.signature)
