"""The boundaries of a server, each with its checker, and their sampling in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chorale.announcements import Announcements
from chorale.boundaries import Boundaries
from chorale.checking.backend_cache import BackendCache
from chorale.checking.client_reports import ClientReports
from chorale.checking.findings import Checker
from chorale.checking.frontend_state import FrontendState
from chorale.checking.qdrant_content import QdrantContentState
from chorale.checking.reading import Reading
from chorale.checking.solana_state import SolanaState
from chorale.domain.caching import EntityCache
from chorale.domain.ports import ContentStore
from chorale.reconcile import Reconciler
from chorale.watcher import Watcher


def make_boundaries(
    reading: Reading,
    content: ContentStore,
    fingerprint: str,
    entities: EntityCache,
    reports: ClientReports,
    reconciler: Reconciler,
    announcements: Announcements,
) -> Boundaries:
    """All four, in the order in which one may heal what the next would find."""
    checkers: tuple[Checker, ...] = (
        SolanaState(reading),
        QdrantContentState(reading, content, fingerprint),
        BackendCache(reading, entities),
        FrontendState(reading, reports),
    )
    return Boundaries(checkers, reconciler, announcements, reading.limits)


@asynccontextmanager
async def sampled(boundaries: Boundaries, watcher: Watcher) -> AsyncIterator[None]:
    """Sample them from the time that derived state has caught up, unless the limits say never, until the block ends;
    then nothing is checked."""

    async def sample() -> None:
        await watcher.caught_up()
        if boundaries.interval > 0:
            await boundaries.run()

    task = asyncio.create_task(sample(), name="sample the boundaries")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await boundaries.cancel()
