"""The graph over real parts: the embedded chain, Qdrant's engine, the index, the model; wallets act past the server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, cast

import strawberry

from chorale.announcements import Announcements
from chorale.auth import Viewer
from chorale.boundaries import Boundaries
from chorale.checking.client_reports import ClientReports
from chorale.context import Context
from chorale.domain.availability import AlwaysAvailable, Availability
from chorale.domain.chain import AccountsRead, Commitment
from chorale.domain.content import ContentKey
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain, ContentStore
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.prepare import Preparer
from chorale.reconcile import Reconciler
from chorale.reconciliation.conflict_log import ConflictLog
from chorale.reconciliation.restoration import Restoration
from datasources.loaders import CachedReads, TokenFacts
from datasources.metrics import PrometheusMeasures
from resolvers.schema import build_schema
from resolvers.transport.errors import formatted
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Draft, Parts

IDENTIFIER = "solana:localnet"


class WatchedChain:
    """The real chain, with its calls counted, and able to be away or behind."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.calls: list[int] = []
        self.away = False
        self.answers: list[AccountsRead] = []

    def __getattr__(self, name: str) -> Any:
        if self.away and name != "program_id":
            raise AuthorityUnavailableError(Authority.SOLANA)
        return getattr(self._chain, name)

    async def accounts(
        self,
        addresses: Sequence[str],
        *,
        min_context_slot: int | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """As the chain answers, or from `answers` first."""
        if self.away:
            raise AuthorityUnavailableError(Authority.SOLANA)
        self.calls.append(len(addresses))
        if self.answers:
            return self.answers.pop(0)
        return await self._chain.accounts(addresses, min_context_slot=min_context_slot, commitment=commitment)


class WatchedContent:
    """The real store, with its calls counted, and able to be away."""

    def __init__(self, content: ContentStore) -> None:
        self._content = content
        self.calls: list[int] = []
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise AuthorityUnavailableError(Authority.QDRANT)
        return getattr(self._content, name)

    async def fetch(self, keys: Sequence[ContentKey]) -> Any:
        """As the store answers."""
        if self.away:
            raise AuthorityUnavailableError(Authority.QDRANT)
        self.calls.append(len(keys))
        return await self._content.fetch(keys)


@dataclass
class Answer:
    """Data, and errors as a client gets them."""

    data: Any
    errors: list[dict[str, Any]]

    @property
    def codes(self) -> list[str]:
        """Codes of the errors."""
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class Stack:
    """Runs operations as any viewer."""

    parts: Parts
    limits: Limits = field(default_factory=Limits)
    schema: strawberry.Schema = field(default_factory=lambda: build_schema(embedded=True))
    operators: frozenset[str] = frozenset()
    cached: bool = False

    def __post_init__(self) -> None:
        self.chain = WatchedChain(self.parts.chain)
        self.content = WatchedContent(self.parts.content)
        self.facts = TokenFacts(self.parts.chain, self.parts.running.addresses)
        self.measures = PrometheusMeasures()
        parts = self.parts
        self.reads = CachedReads(
            parts.cache,
            parts.index,
            self.measures,
            lambda: self.heard_slot,
            parts.running.program_id,
            parts.projector.floors.up_to,
        )
        self.announcements = Announcements(self.limits.announcement_log, self.limits.announcement_queue)
        log = ConflictLog(self.limits.conflict_log)
        self.reconciler = Reconciler({}, log, self.announcements, self.measures)
        self.restoration = Restoration(
            self.parts.chain,
            self.parts.content,
            self.parts.embedder,
            self.parts.index,
            self.parts.projector,
            self.reconciler,
            self.limits,
        )
        self.reports = ClientReports(self.limits)
        self.availability: Availability = AlwaysAvailable()
        self.boundaries = Boundaries((), self.reconciler, self.announcements, self.limits)

    @property
    def heard_slot(self) -> int:
        """As the watcher that runs says it."""
        return 0 if self.parts.watcher is None else self.parts.watcher.heard_slot

    def context(self, viewer: str | None = None) -> Context:
        """A context as the transport makes it, without what only mutations use."""
        chain = cast("Chain", self.chain)
        return Context(
            viewer=None if viewer is None else Viewer(viewer, int(time.time()) + 3600),
            request_token=None,
            updates=cast("Any", None),
            preparer=Preparer(chain, self.parts.index, self.parts.running.addresses),
            sign_in=cast("Any", None),
            chain=chain,
            chain_identifier=IDENTIFIER,
            index=self.parts.index,
            content=cast("ContentStore", self.content),
            embedder=self.parts.embedder,
            addresses=self.parts.running.addresses,
            facts=self.facts,
            limits=self.limits,
            reads=self.reads if self.cached else None,
            measures=self.measures,
            announcements=self.announcements,
            reconciler=self.reconciler,
            restoration=self.restoration,
            boundaries=self.boundaries,
            reports=self.reports,
            operators=self.operators,
            availability=self.availability,
        )

    def with_limits(self, **limits: Any) -> Stack:
        """The same parts under other limits."""
        return replace(self, limits=replace(self.limits, **limits))

    async def run(self, query: str, viewer: str | None = None, **variables: Any) -> Answer:
        """One query or mutation."""
        result = await self.schema.execute(query, variable_values=variables, context_value=self.context(viewer))
        return Answer(result.data, formatted(result.errors or []))

    async def ask(self, query: str, viewer: str | None = None, **variables: Any) -> Any:
        """The data of a query that must succeed."""
        answer = await self.run(query, viewer, **variables)
        assert answer.errors == []
        return answer.data

    async def stream(self, query: str, viewer: str | None = None, **variables: Any) -> AsyncIterator[Answer]:
        """Results of a subscription, as they come."""
        source = await self.schema.subscribe(query, variable_values=variables, context_value=self.context(viewer))
        async with aclosing(source):
            async for result in source:
                yield Answer(result.data, formatted(result.errors or []))


@dataclass(frozen=True)
class Story:
    """A thread with one message of each kind, made once and only read by the tests.

    Ana made it and posted twice. Ben's approved submission made him a co-author. Cara's was denied by both; Dan's is
    pending with Ana's vote. Ben has staged one more. Eve has nothing to do with any of it.
    """

    ana: Actor
    ben: Actor
    cara: Actor
    dan: Actor
    eve: Actor
    thread_id: str
    title: str
    posts: tuple[Draft, Draft]
    approved: Draft
    denied: Draft
    pending: Draft
    staged: Draft
    version: int


async def tell(parts: Parts) -> Story:
    """Act it out on the chain; returns when the index has followed."""
    running = parts.running
    ana, ben, cara, dan, eve = [Actor(running, await running.wallet()) for _ in range(5)]
    thread = ana.thread("Bridges and rivers")
    thread_id = thread.content.key.thread_id
    first = ana.post(thread_id, "Rivers carry stones to the sea, and a bridge carries people over the river.")
    second = ana.post(thread_id, "Ein Steg 🌉 über den Bach braucht keinen Pfeiler.")
    approved = ben.submit(thread_id, "Suspension bridges hang from cables of drawn steel.", 3_000_000)
    denied = cara.submit(thread_id, "Buy cheap watches here.", 5_000_001)
    pending = dan.submit(thread_id, "Arch bridges of stone stand for two thousand years.", 2_000_000)
    staged = ben.post(thread_id, "A draft about drawbridges.")
    for actor, draft in ((ana, thread), (ana, first), (ana, second), (ben, approved)):
        await parts.stage(draft.content)
        await actor.send(draft.instruction)
    await ana.send(ana.vote(thread_id, approved.hash, approve=True))
    for actor, draft in ((cara, denied), (dan, pending)):
        await parts.stage(draft.content)
        await actor.send(draft.instruction)
    await ana.send(ana.vote(thread_id, denied.hash, approve=False))
    await ben.send(ben.vote(thread_id, denied.hash, approve=False))
    await ana.send(ana.vote(thread_id, pending.hash, approve=True))
    await parts.stage(staged.content)
    version = 10
    assert await parts.index.wait_for(thread_id, version, PATIENCE)
    return Story(
        ana, ben, cara, dan, eve, thread_id, thread.content.body, (first, second), approved, denied, pending, staged,
        version,
    )  # fmt: skip
