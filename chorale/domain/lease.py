"""The lease of the one replica that writes what all replicas share."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Lease(Protocol):
    """Held by one replica at a time. A single process always holds its own."""

    @property
    def held(self) -> bool:
        """Whether this replica may write now; false a safe margin before the lease runs out elsewhere."""

    @property
    def holder(self) -> str:
        """Name of the replica that holds it, "" where nobody is known to."""

    async def wait_for_change(self) -> None:
        """Return when `held` has changed since the call."""


class OwnLease:
    """The lease where nothing is shared: always held."""

    @property
    def held(self) -> bool:
        """See Lease."""
        return True

    @property
    def holder(self) -> str:
        """See Lease."""
        return "this process"

    async def wait_for_change(self) -> None:
        """See Lease: never returns."""
        await asyncio.Event().wait()
