"""A number that is written to the session store again and again: a store that was put back shows an earlier one."""

from __future__ import annotations

import secrets

from chorale.domain.ports import SessionStore

_TTL = 3600.0


class Heartbeat:
    """Of this process alone."""

    def __init__(self) -> None:
        self._key = f"heartbeat:{secrets.token_hex(8)}"
        self._written = 0

    async def beat(self, sessions: SessionStore) -> str:
        """Read the last number and write the next; why the store lives in the past, "" where it does not. Raises
        AuthorityUnavailableError."""
        found = await sessions.get(self._key) if self._written else b""
        read = int(found) if found and found.isdigit() else 0
        # A later number than the last that was acknowledged is of a write whose answer was lost.
        problem = "" if read >= self._written else "it has lost what it had acknowledged"
        await sessions.put(self._key, str(self._written + 1).encode(), _TTL)
        self._written += 1
        return problem
