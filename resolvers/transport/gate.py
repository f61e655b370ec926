"""What the transports ask of the wiring: who a token stands for, and a fresh context per operation."""

from __future__ import annotations

from typing import Protocol

from chorale.auth import Viewer
from chorale.context import Context
from chorale.domain.measures import Measures


class Gate(Protocol):
    """Admits callers. One for all connections."""

    @property
    def measures(self) -> Measures:
        """Where connections are counted."""

    async def admit(self, token: str) -> Viewer | None:
        """The viewer of a session token; None where it is unknown, expired or signed out."""

    def context(self, viewer: Viewer | None, token: str | None) -> Context:
        """A context of its own for one operation, loaders included."""


def bearer(header: str | None) -> str | None:
    """The token in `Bearer …` (or a bare one); None where there is none, "" where it is malformed."""
    if header is None:
        return None
    scheme, _, token = header.strip().rpartition(" ")
    if scheme and scheme.strip().lower() != "bearer":
        return ""
    return token if token.lower() != "bearer" else ""
