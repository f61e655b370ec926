"""Reading whole rows and trees out of the index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from chorale.domain.kept import KeptMessage, KeptThread
from datasources.index import kept
from datasources.index.connections import Connections
from programs.merkle import DEPTH, EMPTY

_LEAVES = 1024  # per read, so that listings have their turn in between


class KeptQueries:
    """What the index keeps, for comparing; see `Index` in the ports."""

    _connections: Connections

    async def kept_threads(self, thread_ids: Sequence[str]) -> Mapping[str, KeptThread]:
        """See Index."""
        return await self._connections.read(partial(kept.threads, thread_ids=thread_ids))

    async def kept_messages(self, content_hashes: Sequence[str]) -> Mapping[str, KeptMessage]:
        """See Index."""
        return await self._connections.read(partial(kept.messages, content_hashes=content_hashes))

    async def hashes_after(self, after: str, limit: int) -> Sequence[str]:
        """See Index."""
        return await self._connections.read(partial(kept.hashes_after, after=after, limit=limit))

    async def count_messages(self, thread_id: str, up_to: int) -> int:
        """See Index."""
        return await self._connections.read(partial(kept.count, thread_id=thread_id, up_to=up_to))

    async def recomputed_root(self, thread_id: str, count: int) -> str | None:
        """See Index."""
        waiting: kept.Waiting | None = {}
        for first in range(0, count, _LEAVES):
            last = min(first + _LEAVES, count)
            waiting = await self._connections.read(
                partial(kept.fold, thread_id=thread_id, first=first, last=last, waiting=waiting or {})
            )
            if waiting is None:
                return None
        return kept.root(count, waiting) if count and waiting else EMPTY[DEPTH]
