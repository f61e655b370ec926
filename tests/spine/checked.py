"""A house whose boundaries are verified, with ways to damage each of the four systems past the code that keeps them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chorale.announcements import Announcements
from chorale.boundaries import Boundaries
from chorale.checking.client_reports import ClientReports
from chorale.checking.reading import Reading
from chorale.domain.boundaries import BoundaryFindings, BoundaryName, VerificationReport
from chorale.domain.caching import CachedAccount
from chorale.domain.conflict import ConflictKind
from chorale.domain.content import ContentKey
from chorale.limits import Limits
from chorale.process.verification import make_boundaries
from chorale.reconcile import Reconciler, Resolver
from chorale.reconciliation.conflict_log import ConflictLog
from datasources.cache.entities_memory import MemoryEntities
from datasources.metrics import PrometheusMeasures
from tests.spine.parts import Actor, Draft, Parts

LIMITS = Limits(min_version_wait=2.0, settle_timeout=10.0)
_POSTS_AT_ONCE = 8


@dataclass
class House:
    """Parts with boundaries over them."""

    parts: Parts
    folder: Path
    limits: Limits = LIMITS
    resolvers: Mapping[ConflictKind, Resolver] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.announcements = Announcements(self.limits.announcement_log, self.limits.announcement_queue)
        self.log = ConflictLog(self.limits.conflict_log)
        measures = PrometheusMeasures(100)
        self.reconciler = Reconciler(self.resolvers, self.log, self.announcements, measures)
        self.entities = MemoryEntities(self.limits)
        self.reports = ClientReports(self.limits)
        self.reading = Reading(
            self.parts.chain, self.parts.index, self.parts.projector, self.parts.finality, self.limits
        )
        self.boundaries: Boundaries = make_boundaries(
            self.reading,
            self.parts.content,
            self.parts.embedder.fingerprint,
            self.entities,
            self.reports,
            self.reconciler,
            self.announcements,
        )

    def with_limits(self, **limits: Any) -> House:
        """The same parts under other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    def sql(self, statement: str, *arguments: object) -> None:
        """Write to the index's file by a connection of its own."""
        [file] = (self.folder / "index").glob("index-*.sqlite3")
        with sqlite3.connect(file, timeout=10) as connection:
            assert connection.execute(statement, arguments).rowcount > 0, statement
        connection.close()

    async def set_payload(self, key: ContentKey, **payload: Any) -> None:
        """Write to a point through the engine."""
        content = self.parts.content
        id = content._identity.point_id(key)
        await content._engine.call(
            lambda: content._engine.client.set_payload(content._identity.name, payload, points=[id], wait=True)
        )

    async def delete_point(self, key: ContentKey) -> None:
        """Take a point away through the engine."""
        content = self.parts.content
        id = content._identity.point_id(key)
        await content._engine.call(
            lambda: content._engine.client.delete(content._identity.name, points_selector=[id], wait=True)
        )

    async def cache(self, address: str, **changes: Any) -> None:
        """Put what the chain has into the cache, with `changes` of the entry's fields."""
        read = await self.parts.chain.accounts([address])
        [account] = read.accounts
        assert account is not None
        entry = CachedAccount(account, read.slot, 1, 2.0**40)
        data = changes.pop("data", account.data)
        await self.entities.put({address: replace(entry, account=replace(account, data=data), **changes)})

    async def found(self, *, repair: bool = False, complete: bool = True) -> dict[BoundaryName, BoundaryFindings]:
        """A verification's findings by boundary; none may have had a problem."""
        report = await self.boundaries.verify(repair=repair, complete=complete)
        return by_name(report)

    async def causes(self, *, repair: bool = False) -> list[tuple[str, str]]:
        """(cause, subject) of every conflict of a complete verification, sorted."""
        report = await self.boundaries.verify(repair=repair)
        by_name(report)
        return sorted((record.conflict.cause.value, record.conflict.subject) for record in report.records)


def by_name(report: VerificationReport) -> dict[BoundaryName, BoundaryFindings]:
    """Findings by boundary; none may have had a problem."""
    assert all(found.problem == "" for found in report.boundaries), report.boundaries
    return {found.name: found for found in report.boundaries}


async def publish(parts: Parts, actor: Actor, thread_id: str, bodies: Sequence[str]) -> list[Draft]:
    """Post all of `bodies`, some at a time."""
    drafts = [actor.post(thread_id, body) for body in bodies]
    places = asyncio.Semaphore(_POSTS_AT_ONCE)

    async def post(draft: Draft) -> None:
        async with places:
            await parts.stage(draft.content)
            await actor.send(draft.instruction)

    async with asyncio.TaskGroup() as tasks:
        for draft in drafts:
            tasks.create_task(post(draft))
    return drafts


async def begin_thread(parts: Parts, actor: Actor, title: str) -> Draft:
    """A thread of `actor`."""
    draft = actor.thread(title)
    await parts.stage(draft.content)
    await actor.send(draft.instruction)
    return draft
