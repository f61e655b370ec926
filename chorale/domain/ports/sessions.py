"""What is asked of the store of sessions."""

from __future__ import annotations

from typing import Protocol


class SessionStore(Protocol):
    """Sessions, nonces and idempotency records: small values with a time to live in seconds."""

    async def get(self, key: str) -> bytes | None:
        """The value, None where absent or expired."""

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Set or replace."""

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Set only where absent, atomically; False where it is there already."""

    async def take(self, key: str) -> bytes | None:
        """Read and delete, atomically: of many callers one gets the value."""

    async def delete(self, key: str) -> None:
        """Delete; absent is fine."""
