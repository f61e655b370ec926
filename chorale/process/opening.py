"""A server's parts, opened in order and closed in reverse: the one place where they are put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chorale.auth import SignIn
from chorale.checking.client_reports import ClientReports
from chorale.checking.reading import Reading
from chorale.domain.errors import AuthorityUnavailableError, StartupError
from chorale.domain.updates import Authority
from chorale.prepare import Preparer
from chorale.process.authorities import open_authorities
from chorale.process.clusters import chain_identifier
from chorale.process.keeper_services import open_keeper
from chorale.process.output import Say
from chorale.process.services import Services, Standing
from chorale.process.verification import make_boundaries, sampled
from chorale.projection.corrections import Corrections
from chorale.projection.finality import Finality
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.resolvers import open_resolvers
from chorale.reconciliation.restoration import Restoration
from chorale.settings import Settings
from chorale.state_update import StateUpdates
from chorale.watcher import Watcher
from datasources.cache.scoped import ScopedSessions
from datasources.guard import Guards
from datasources.loaders import CachedReads, TokenFacts
from programs.addresses import ProgramAddresses

_CURES = {
    Authority.SOLANA: "Check CHORALE_CHAIN_URL and CHORALE_PROGRAM_ID.",
    Authority.QDRANT: "Check CHORALE_CONTENT_URL.",
    Authority.BACKEND: "Check CHORALE_CACHE_URL.",
    Authority.FRONTEND: "",
}


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
    replaced = asyncio.Event()
    opened = await open_authorities(
        settings, guards, stack, say=say, met=reconciler.met, failure=failure, replaced=replaced
    )
    chain, content, embedder, index, cache = opened.chain, opened.content, opened.embedder, opened.index, opened.cache
    genesis_hash, program_id = opened.genesis_hash, chain.program_id
    addresses = ProgramAddresses(program_id)
    projector = Projector(
        chain, content, embedder, index, lease=opened.lease, patience=limits.lease_patience, cache=cache
    )
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
        lease=opened.lease,
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
        ScopedSessions(opened.sessions, genesis_hash),  # what was done on another chain was not done on this one
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
        keeper = await stack.enter_async_context(open_keeper(settings, chain, opened.url, genesis_hash))
        keeper.start()
    await stack.enter_async_context(guards.probing())
    return Services(
        settings=settings,
        rpc_url=opened.url,
        chain=chain,
        chain_identifier=identifier,
        content=content,
        embedder=embedder,
        index=index,
        sessions=opened.sessions,
        projector=projector,
        watcher=watcher,
        updates=updates,
        preparer=Preparer(chain, index, addresses, guards.availability),
        sign_in=SignIn(opened.sessions, settings.domain, settings.public_url, identifier, limits),
        addresses=addresses,
        facts=facts,
        cache=cache,
        reads=reads,
        dev=opened.dev,
        keeper=keeper,
        measures=measures,
        announcements=announcements,
        reconciler=reconciler,
        restoration=Restoration(chain, content, embedder, index, projector, reconciler, limits, guards.availability),
        boundaries=boundaries,
        reports=reports,
        availability=guards.availability,
        lease=opened.lease,
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
