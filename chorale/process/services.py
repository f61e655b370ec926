"""Everything that a running server has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from chorale.announcements import Announcements
from chorale.auth import SignIn, Viewer
from chorale.boundaries import Boundaries
from chorale.checking.client_reports import ClientReports
from chorale.context import Context, DevTools
from chorale.domain.availability import Availability
from chorale.domain.caching import EntityCache
from chorale.domain.lease import Lease
from chorale.domain.ports import Chain, ContentStore, Embedder, Index, SessionStore
from chorale.keeper import Keeper
from chorale.limits import Limits
from chorale.prepare import Preparer
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.restoration import Restoration
from chorale.settings import Settings
from chorale.state_update import StateUpdates
from chorale.watcher import Watcher
from datasources.loaders import CachedReads, TokenFacts
from datasources.metrics import PrometheusMeasures
from programs.addresses import ProgramAddresses


@dataclass(frozen=True, slots=True)
class Standing:
    """What stays when the house is opened again on another chain: measures, and what operators were told."""

    measures: PrometheusMeasures
    announcements: Announcements
    conflicts: ConflictLog

    @classmethod
    def under(cls, limits: Limits) -> Standing:
        """New and empty."""
        return cls(
            PrometheusMeasures(limits.measure_samples),
            Announcements(limits.announcement_log, limits.announcement_queue),
            ConflictLog(limits.conflict_log),
        )


@dataclass(frozen=True, slots=True)
class Services:
    """A running house. `failure` is set with the reason once it cannot go on, `replaced` once the node serves another
    chain or the index is damaged, so that the house has to be opened again."""

    settings: Settings
    rpc_url: str
    chain: Chain
    chain_identifier: str
    content: ContentStore
    embedder: Embedder
    index: Index
    sessions: SessionStore
    projector: Projector
    watcher: Watcher
    updates: StateUpdates
    preparer: Preparer
    sign_in: SignIn
    addresses: ProgramAddresses
    facts: TokenFacts
    cache: EntityCache
    reads: CachedReads
    dev: DevTools | None
    keeper: Keeper | None
    measures: PrometheusMeasures
    announcements: Announcements
    reconciler: Reconciler
    restoration: Restoration
    boundaries: Boundaries
    reports: ClientReports
    availability: Availability
    lease: Lease
    failure: asyncio.Future[str]
    replaced: asyncio.Event

    async def admit(self, token: str) -> Viewer | None:
        """The viewer of a session token."""
        return await self.sign_in.viewer(token)

    def context(self, viewer: Viewer | None, token: str | None) -> Context:
        """A context for one operation."""
        return Context(
            viewer=viewer,
            request_token=token,
            updates=self.updates,
            preparer=self.preparer,
            sign_in=self.sign_in,
            chain=self.chain,
            chain_identifier=self.chain_identifier,
            index=self.index,
            content=self.content,
            embedder=self.embedder,
            addresses=self.addresses,
            facts=self.facts,
            reads=self.reads,
            limits=self.settings.limits,
            measures=self.measures,
            announcements=self.announcements,
            reconciler=self.reconciler,
            restoration=self.restoration,
            boundaries=self.boundaries,
            reports=self.reports,
            lease=self.lease,
            catch_up=self.watcher.catch_up,
            availability=self.availability,
            operators=self.settings.operators.wallets,
            dev=self.dev,
            keeper=self.keeper,
        )
