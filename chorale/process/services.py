"""Everything that a server runs on, opened in order and closed in reverse: the one place where parts are chosen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chorale.announcements import Announcements
from chorale.auth import SignIn, Viewer
from chorale.boundaries import Boundaries
from chorale.checking.client_reports import ClientReports
from chorale.checking.reading import Reading
from chorale.context import Context, DevTools
from chorale.domain.availability import Availability
from chorale.domain.caching import EntityCache
from chorale.domain.errors import AuthorityUnavailableError, StartupError
from chorale.domain.lease import Lease
from chorale.domain.ports import Chain, ContentStore, Embedder, Index, SessionStore
from chorale.domain.updates import Authority
from chorale.keeper import Keeper
from chorale.limits import Limits
from chorale.prepare import Preparer
from chorale.process.clusters import chain_identifier
from chorale.process.keeper_services import open_keeper
from chorale.process.localnet_process import supervised_localnet
from chorale.process.verification import make_boundaries, sampled
from chorale.projection.corrections import Corrections
from chorale.projection.finality import Finality
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.resolvers import open_resolvers
from chorale.reconciliation.restoration import Restoration
from chorale.settings import Settings
from chorale.state_update import StateUpdates
from chorale.watcher import Watcher
from datasources.cache.entities import open_entities
from datasources.cache.lease import open_lease
from datasources.cache.scoped import ScopedSessions
from datasources.cache.sessions import open_sessions
from datasources.embeddings import open_embedder
from datasources.guard import Guards
from datasources.index import open_index
from datasources.loaders import CachedReads, TokenFacts
from datasources.metrics import PrometheusMeasures
from datasources.qdrant import open_content
from datasources.qdrant.identity import CollectionIdentity
from datasources.solana.client import open_chain
from datasources.solana.dev_tools import open_dev_tools
from programs.addresses import ProgramAddresses

Say = Callable[[str], None]

_CURES = {
    Authority.SOLANA: "Check CHORALE_CHAIN_URL and CHORALE_PROGRAM_ID.",
    Authority.QDRANT: "Check CHORALE_CONTENT_URL.",
    Authority.BACKEND: "Check CHORALE_CACHE_URL.",
    Authority.FRONTEND: "",
}


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


@asynccontextmanager
async def open_services(settings: Settings, say: Say, standing: Standing) -> AsyncIterator[Services]:
    """Open everything and follow the chain; `say` takes lines about what takes long. Raises StartupError."""
    failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        try:
            services = await _opened(settings, say, standing, failure, stack)
        except AuthorityUnavailableError as error:
            raise StartupError(f"{error} {_CURES[error.authority]}") from error
        yield services


async def _opened(
    settings: Settings, say: Say, standing: Standing, failure: asyncio.Future[str], stack: AsyncExitStack
) -> Services:
    limits = settings.limits
    measures, announcements = standing.measures, standing.announcements
    guards = Guards(limits, announcements.turned)
    reconciler = Reconciler({}, standing.conflicts, announcements, measures, limits)
    reports = ClientReports(limits)
    localnet = None
    if settings.embedded_chain:
        localnet = await stack.enter_async_context(
            supervised_localnet(settings.data, settings.chain_rpc_port, say, failure)
        )
    # The chain's process starts while the model loads.
    embedder = await stack.enter_async_context(open_embedder(settings.embedding_model, settings.data, say))
    sessions = guards.sessions(
        await stack.enter_async_context(open_sessions(settings.cache_url, settings.data / "sessions.sqlite3")),
        remote=settings.cache_url != "memory:",
    )
    if localnet is None:
        url, ws_url, program_id = settings.chain_url, settings.chain_ws_url, settings.program_id
    else:
        address = await localnet.ready()
        url, ws_url, program_id = address.rpc_url, address.ws_url, address.program_id
    chain = guards.chain(await stack.enter_async_context(open_chain(url, ws_url, program_id)))
    genesis_hash = await chain.genesis_hash()
    identity = CollectionIdentity(genesis_hash, program_id, embedder.fingerprint, embedder.dimensions)
    content = guards.content(
        await stack.enter_async_context(
            open_content(settings.content_url, settings.data / "qdrant", identity, reconciler.met)
        ),
        remote=settings.content_url != "file:",
    )
    replaced = asyncio.Event()

    def index_is_damaged(what: str) -> None:
        if not replaced.is_set():
            say(f"The index is damaged ({what}). It is set aside and derived again; opening anew …")
            replaced.set()

    index = guards.index(
        await stack.enter_async_context(
            open_index(settings.data / "index", genesis_hash, program_id, embedder.fingerprint, index_is_damaged)
        )
    )
    dev = None
    if localnet is not None:
        dev = await stack.enter_async_context(open_dev_tools(chain, url, settings.data))
    addresses = ProgramAddresses(program_id)
    lease = await stack.enter_async_context(
        open_lease(settings.cache_url, settings.content_url, identity.name, limits.lease_ttl)
    )
    cache = await stack.enter_async_context(open_entities(settings.cache_url, f"{genesis_hash}:{program_id}", limits))
    projector = Projector(chain, content, embedder, index, lease=lease, patience=limits.lease_patience, cache=cache)
    stack.push_async_callback(projector.close)
    finality = Finality(chain, genesis_hash)
    corrections = Corrections(finality, index, content)
    reconciler.equip(open_resolvers(chain, content, embedder, index, projector, corrections, cache, reports, limits))
    stack.push_async_callback(_ended, asyncio.create_task(reconciler.run(), name="reconcile"))
    watcher = Watcher(
        chain,
        projector,
        index,
        content,
        genesis_hash=genesis_hash,
        lease=lease,
        corrections=corrections,
        reconciler=reconciler,
        announcements=announcements,
        measures=measures,
        limits=limits,
    )
    stack.push_async_callback(_ended, _followed(watcher, failure, replaced, say))
    reading = Reading(chain, index, projector, finality, limits)
    boundaries = make_boundaries(reading, content, embedder.fingerprint, cache, reports, reconciler, announcements)
    await stack.enter_async_context(sampled(boundaries, watcher))
    reads = CachedReads(cache, index, measures, lambda: watcher.heard_slot, program_id, projector.floors.up_to)
    updates = StateUpdates(
        chain,
        content,
        embedder,
        projector,
        ScopedSessions(sessions, genesis_hash),  # what was done on another chain was not done on this one
        limits,
        guards.availability,
        measures,
        reconciler.found,
    )
    stack.push_async_callback(updates.close)
    identifier = chain_identifier(genesis_hash)
    facts = TokenFacts(chain, addresses)
    await facts.token()
    keeper = None
    if settings.keeps:
        keeper = await stack.enter_async_context(open_keeper(settings, chain, url, genesis_hash))
        keeper.start()
    await stack.enter_async_context(guards.probing())
    return Services(
        settings=settings,
        rpc_url=url,
        chain=chain,
        chain_identifier=identifier,
        content=content,
        embedder=embedder,
        index=index,
        sessions=sessions,
        projector=projector,
        watcher=watcher,
        updates=updates,
        preparer=Preparer(chain, index, addresses, guards.availability),
        sign_in=SignIn(sessions, settings.domain, settings.public_url, identifier, limits),
        addresses=addresses,
        facts=facts,
        cache=cache,
        reads=reads,
        dev=dev,
        keeper=keeper,
        measures=measures,
        announcements=announcements,
        reconciler=reconciler,
        restoration=Restoration(chain, content, embedder, index, projector, reconciler, limits, guards.availability),
        boundaries=boundaries,
        reports=reports,
        availability=guards.availability,
        lease=lease,
        failure=failure,
        replaced=replaced,
    )


def _followed(watcher: Watcher, failure: asyncio.Future[str], replaced: asyncio.Event, say: Say) -> asyncio.Task[None]:
    task = asyncio.create_task(watcher.run(), name="follow the chain")

    def ended(task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if (error := task.exception()) is None:
            say("The node serves another chain. Everything that was derived is set aside; opening on the new one …")
            replaced.set()
        elif not failure.done():
            failure.set_result(f"Following the chain ended: {error!r}.")

    task.add_done_callback(ended)
    return task


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
