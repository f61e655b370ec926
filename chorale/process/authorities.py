"""The authorities and the stores beside them, opened as the settings say, each behind its guard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from chorale.context import DevTools
from chorale.domain.caching import EntityCache
from chorale.domain.content import ContentKey, ContentState
from chorale.domain.lease import Lease
from chorale.domain.ports import Chain, CorrectableContent, CorrectableIndex, Embedder, SessionStore
from chorale.process.localnet_process import supervised_localnet
from chorale.process.output import Say
from chorale.settings import Settings
from datasources.cache.entities import open_entities
from datasources.cache.lease import open_lease
from datasources.cache.sessions import open_sessions
from datasources.embeddings import open_embedder
from datasources.guard import Guards
from datasources.index import open_index
from datasources.qdrant import open_content
from datasources.qdrant.identity import CollectionIdentity
from datasources.solana.client import open_chain
from datasources.solana.dev_tools import open_dev_tools


@dataclass(frozen=True, slots=True)
class Authorities:
    """What a server asks and keeps. `url` is the RPC's; `dev` comes with an embedded chain only."""

    url: str
    chain: Chain
    genesis_hash: str
    dev: DevTools | None
    content: CorrectableContent
    embedder: Embedder
    index: CorrectableIndex
    sessions: SessionStore
    cache: EntityCache
    lease: Lease


async def open_authorities(
    settings: Settings,
    guards: Guards,
    stack: AsyncExitStack,
    *,
    say: Say,
    met: Callable[[ContentKey, ContentState], None],
    failure: asyncio.Future[str],
    replaced: asyncio.Event,
) -> Authorities:
    """Open all of them on `stack`. `met` is told of bytes that cannot be served; `failure` is set where the embedded
    chain ends, `replaced` where the index turns out to be damaged. Raises StartupError, AuthorityUnavailableError."""
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
        await stack.enter_async_context(open_content(settings.content_url, settings.data / "qdrant", identity, met)),
        remote=settings.content_url != "file:",
    )

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
    limits = settings.limits
    lease = await stack.enter_async_context(
        open_lease(settings.cache_url, settings.content_url, identity.name, limits.lease_ttl)
    )
    cache = await stack.enter_async_context(open_entities(settings.cache_url, f"{genesis_hash}:{program_id}", limits))
    return Authorities(url, chain, genesis_hash, dev, content, embedder, index, sessions, cache, lease)
