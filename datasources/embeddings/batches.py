"""Coalesces texts that wait at the same moment into batches for one worker thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from chorale.domain.content import Embedding

# Padding makes a batch as long as its longest text: beyond this size one long text costs hundreds of megabytes.
BATCH = 16


@dataclass(slots=True, eq=False)
class Job:
    """One text on its way; `query` asks for the query's sparse vector."""

    text: str
    query: bool
    done: asyncio.Future[Embedding] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batches:
    """Runs `work` on at most BATCH jobs at a time in `executor`. Single texts go before the rest of long lists."""

    def __init__(self, executor: Executor, work: Callable[[Sequence[Job]], Sequence[Embedding]]) -> None:
        self._executor = executor
        self._work = work
        self._single: deque[Job] = deque()
        self._bulk: deque[Job] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def run(self, jobs: Sequence[Job]) -> list[Embedding]:
        """Answers in the order of `jobs`. A cancelled caller takes its waiting texts along."""
        if not jobs:
            return []
        if len(jobs) == 1:
            self._single.append(jobs[0])
        else:
            self._bulk.extend(sorted(jobs, key=lambda job: len(job.text)))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._drain(), name="embedding-batches")
        try:
            return [await job.done for job in jobs]
        finally:
            for job in jobs:
                job.done.cancel()

    async def close(self) -> None:
        """Wait for the batch that is running; what still waits is cancelled."""
        for job in (*self._single, *self._bulk):
            job.done.cancel()
        if self._runner is not None:
            await self._runner

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := (_take(self._single) or _take(self._bulk)):
            batch.sort(key=lambda job: len(job.text))
            try:
                embeddings = await loop.run_in_executor(self._executor, self._work, batch)
            except Exception as error:  # noqa: BLE001 - whatever failed belongs to the callers of this batch
                for job in batch:
                    if not job.done.done():
                        job.done.set_exception(error)
                        job.done.exception()  # a caller that awaits another job's failure never asks for this one
                continue
            for job, embedding in zip(batch, embeddings, strict=True):
                if not job.done.done():
                    job.done.set_result(embedding)


def _take(queue: deque[Job]) -> list[Job]:
    batch: list[Job] = []
    while queue and len(batch) < BATCH:
        job = queue.popleft()
        if not job.done.done():
            batch.append(job)
    return batch
