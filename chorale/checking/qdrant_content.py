"""The boundary to Qdrant: bytes, facts and vectors of every message and title, and points that nothing refers to."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Sequence

from chorale.checking.findings import Checked
from chorale.checking.pages import Round, all_pages
from chorale.checking.points import PointChecks
from chorale.checking.reading import Reading
from chorale.checking.rows import is_hash
from chorale.checking.strays import check_strays
from chorale.domain.boundaries import BoundaryName
from chorale.domain.content import PointName
from chorale.domain.ports import ContentStore

_NAMES = 2_000  # points per page of names: the embedded engine sorts all of them for each page
_NAMES_EVERY = 10  # samples; for the same reason many at a time


class QdrantContentState:
    """Checks the content store. The bytes' hash is recomputed by every fetch."""

    name = BoundaryName.QDRANT_CONTENT

    def __init__(
        self, reading: Reading, content: ContentStore, fingerprint: str, now: Callable[[], float] = time.time
    ) -> None:
        self._reading = reading
        self._index = reading.index
        self._content = content
        self._batch = reading.limits.verification_batch
        self._points = PointChecks(reading, content, fingerprint)
        self._now = now
        self._thread_round = Round(self._index.thread_ids)
        self._message_round = Round(self._index.hashes_after)
        self._place: str | None = None
        self._samples = 0

    async def whole(self) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        census, points = await self._index.census(), await self._content.census()
        yield Checked(0, (), census.threads + census.messages + points.points)
        async for thread_ids in all_pages(self._index.thread_ids, self._batch):
            yield await self._titles(thread_ids)
        async for hashes in all_pages(self._index.hashes_after, self._batch):
            yield await self._messages(hashes)
        place: str | None = None
        while True:
            names, place = await self._content.names(place, _NAMES)
            for at in range(0, len(names), self._batch):
                yield await self._strays(names[at : at + self._batch])
            if place is None:
                break

    async def sample(self, size: int) -> AsyncGenerator[Checked, None]:
        """See Checker."""
        most = min(size, self._batch)
        yield await self._titles(await self._thread_round.next(most))
        yield await self._messages(await self._message_round.next(most))
        self._samples += 1
        if self._samples % _NAMES_EVERY == 0:
            names, self._place = await self._content.names(self._place, most * _NAMES_EVERY)
            for at in range(0, len(names), most):
                yield await self._strays(names[at : at + most])

    async def _titles(self, thread_ids: Sequence[str]) -> Checked:
        wanted = {thread_id: None for thread_id in thread_ids if is_hash(thread_id)}
        return Checked(len(wanted), await self._points.check(wanted))

    async def _messages(self, hashes: Sequence[str]) -> Checked:
        rows = await self._index.kept_messages(hashes)
        wanted = {key: row.thread_id for key, row in rows.items() if row.sequence and is_hash(row.thread_id)}
        return Checked(len(wanted), await self._points.check(wanted))

    async def _strays(self, names: Sequence[PointName]) -> Checked:
        return Checked(len(names), await check_strays(self._reading, names, self._now()))
