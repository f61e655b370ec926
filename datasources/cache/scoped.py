"""Part of a session store that is about one chain only: on another chain nothing of it is found."""

from __future__ import annotations

from chorale.domain.ports import SessionStore


class ScopedSessions:
    """Implements `chorale.domain.ports.SessionStore` on another one, with `scope` before every key."""

    def __init__(self, sessions: SessionStore, scope: str) -> None:
        self._sessions = sessions
        self._scope = scope

    async def get(self, key: str) -> bytes | None:
        """See SessionStore."""
        return await self._sessions.get(self._named(key))

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """See SessionStore."""
        await self._sessions.put(self._named(key), value, ttl)

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """See SessionStore."""
        return await self._sessions.add(self._named(key), value, ttl)

    async def take(self, key: str) -> bytes | None:
        """See SessionStore."""
        return await self._sessions.take(self._named(key))

    async def delete(self, key: str) -> None:
        """See SessionStore."""
        await self._sessions.delete(self._named(key))

    def _named(self, key: str) -> str:
        return f"{self._scope}:{key}"
