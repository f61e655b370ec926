"""The real parts that derive state, wired as in the server, and wallets that act on the chain past it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbits, token_hex

from solders.instruction import Instruction
from solders.keypair import Keypair

from chorale.announcements import Announcements
from chorale.domain.caching import EntityCache
from chorale.domain.content import Content, ContentKey, ContentKind
from chorale.domain.lease import Lease, OwnLease
from chorale.domain.ports import Chain
from chorale.limits import Limits
from chorale.projection.corrections import Corrections
from chorale.projection.finality import Finality
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.watcher import Watcher
from datasources.cache.entities_memory import MemoryEntities
from datasources.embeddings import FastEmbedder
from datasources.index import SqliteIndex, open_index
from datasources.metrics import PrometheusMeasures
from datasources.qdrant import CollectionIdentity, QdrantContent, open_content
from datasources.solana.client import open_chain
from programs import identity, instructions
from tests.chains import APPROVAL_WINDOW, MINIMUM_STAKE, RunningChain
from tests.patience import PATIENCE

LEASE = 3600


@dataclass
class Parts:
    """Open derived state. `watch()` runs a watcher until it has caught up, then beside the test."""

    running: RunningChain
    chain: Chain
    content: QdrantContent
    index: SqliteIndex
    embedder: FastEmbedder
    projector: Projector
    genesis_hash: str
    cache: EntityCache
    limits: Limits = field(default_factory=Limits)
    lease: Lease = field(default_factory=OwnLease)
    measures: PrometheusMeasures = field(default_factory=PrometheusMeasures)

    def __post_init__(self) -> None:
        self.announcements = Announcements(self.limits.announcement_log, self.limits.announcement_queue)
        self.conflicts = ConflictLog(self.limits.conflict_log)
        self.reconciler = Reconciler({}, self.conflicts, self.announcements, self.measures)
        self.finality = Finality(self.chain, self.genesis_hash)
        self.corrections = Corrections(self.finality, self.index, self.content)
        self.watcher: Watcher | None = None

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[Watcher]:
        """A watcher that has caught up."""
        watcher = Watcher(
            self.chain,
            self.projector,
            self.index,
            self.content,
            genesis_hash=self.genesis_hash,
            lease=self.lease,
            corrections=self.corrections,
            reconciler=self.reconciler,
            announcements=self.announcements,
            measures=self.measures,
            limits=self.limits,
        )
        task = asyncio.create_task(watcher.run())
        caught_up = asyncio.create_task(watcher.caught_up())
        try:
            await asyncio.wait((task, caught_up), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
            assert caught_up.done(), task
            self.watcher = watcher
            yield watcher
        finally:
            self.watcher = None
            task.cancel()
            caught_up.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def stage(self, content: Content) -> None:
        """Content first, as every writer does."""
        await self.projector.note_staged(await self.content.stage(content, lease_until=int(time.time()) + LEASE))


@asynccontextmanager
async def open_parts(
    running: RunningChain, embedder: FastEmbedder, folder: Path, cache: EntityCache | None = None
) -> AsyncIterator[Parts]:
    """All parts on one folder, with a cache in memory where no other is given; opened again on the same folder they
    find what was kept."""
    async with open_chain(running.rpc_url, running.ws_url, running.program_id) as chain:
        genesis = await chain.genesis_hash()
        collection = CollectionIdentity(genesis, running.program_id, embedder.fingerprint, embedder.dimensions)
        async with (
            open_content("file:", folder / "content", collection) as content,
            open_index(folder / "index", genesis, running.program_id, embedder.fingerprint) as index,
        ):
            cache = cache or MemoryEntities(Limits())
            projector = Projector(chain, content, embedder, index, cache=cache)
            try:
                yield Parts(running, chain, content, index, embedder, projector, genesis, cache)
            finally:
                await projector.close()


@dataclass(frozen=True)
class Draft:
    """A message or title with its instruction, before it is sent."""

    content: Content
    instruction: Instruction

    @property
    def hash(self) -> str:
        """Content hash of a message, title hash of a title."""
        return self.content.key.hash


@dataclass(frozen=True)
class Actor:
    """A funded wallet that sends straight to the RPC."""

    running: RunningChain
    keypair: Keypair

    @property
    def key(self) -> str:
        """Address."""
        return str(self.keypair.pubkey())

    @property
    def tokens(self) -> str:
        """Associated token account."""
        return self.running.addresses.associated_token_account(self.key, self.running.mint)

    def thread(self, title: str) -> Draft:
        """create_thread."""
        nonce, salt = randbits(63), token_hex(32)
        thread_id, title_hash = identity.thread_id(self.key, nonce), identity.title_hash(salt, title)
        key = ContentKey(ContentKind.TITLE, thread_id, title_hash)
        return Draft(
            Content(key, self.key, nonce, salt, title),
            instructions.create_thread(
                self.running.addresses,
                payer=self.key,
                creator=self.key,
                mint=self.running.mint,
                nonce=nonce,
                title_hash=title_hash,
            ),
        )

    def post(self, thread_id: str, body: str) -> Draft:
        """post_message."""
        content = self._message(thread_id, body)
        return Draft(
            content,
            instructions.post_message(
                self.running.addresses,
                payer=self.key,
                author=self.key,
                thread_id=thread_id,
                body_hash=identity.body_hash(content.salt, body),
                nonce=content.nonce,
            ),
        )

    def submit(self, thread_id: str, body: str, stake: int = MINIMUM_STAKE) -> Draft:
        """submit_message."""
        content = self._message(thread_id, body)
        return Draft(
            content,
            instructions.submit_message(
                self.running.addresses,
                payer=self.key,
                author=self.key,
                source=self.tokens,
                thread_id=thread_id,
                body_hash=identity.body_hash(content.salt, body),
                nonce=content.nonce,
                stake=stake,
                max_expires_at=2**62 + APPROVAL_WINDOW,
            ),
        )

    def vote(self, thread_id: str, content_hash: str, *, approve: bool) -> Instruction:
        """cast_vote."""
        return instructions.cast_vote(
            self.running.addresses,
            payer=self.key,
            voter=self.key,
            thread_id=thread_id,
            content_hash=content_hash,
            approve=approve,
        )

    async def send(self, *parts: Instruction) -> str:
        """Sign, send, confirm; the signature."""
        return await self.running.send(parts, [self.keypair])

    def _message(self, thread_id: str, body: str) -> Content:
        nonce, salt = randbits(63), token_hex(32)
        content_hash = identity.content_hash(thread_id, self.key, nonce, identity.body_hash(salt, body))
        return Content(ContentKey(ContentKind.MESSAGE, thread_id, content_hash), self.key, nonce, salt, body)
