"""What a resolver has at hand: the viewer, the authorities' adapters, and loaders that live for one operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeAlias

import strawberry

from chorale.domain.availability import AlwaysAvailable, Availability
from chorale.domain.lease import Lease, OwnLease
from chorale.domain.measures import Measures
from chorale.domain.ports import Chain, ContentStore, Embedder, IndexReader
from chorale.domain.projection import CatchUp
from chorale.limits import Limits
from datasources.loaders import CachedReads, Loaders, TokenFacts
from programs.addresses import ProgramAddresses

if TYPE_CHECKING:
    from chorale.announcements import Announcements
    from chorale.auth import SignIn, Viewer
    from chorale.boundaries import Boundaries
    from chorale.checking.client_reports import ClientReports
    from chorale.keeper import Keeper
    from chorale.prepare import Preparer
    from chorale.reconcile import Reconciler
    from chorale.reconciliation.restoration import Restoration
    from chorale.state_update import StateUpdates


class DevTools(Protocol):
    """What only an embedded chain offers: named wallets whose keys the server keeps, and a clock to turn."""

    async def wallet(self, name: str, lamports: int, tokens: int) -> str:
        """Address of the wallet `name`, made and funded on first use (lamports and base units)."""

    async def sign(self, name: str, transaction: bytes) -> bytes:
        """The transaction with the wallet's signature put in."""

    async def advance_clock(self, seconds: int) -> int:
        """Turn the cluster's clock forward; its unix time afterwards."""


@dataclass(slots=True, kw_only=True)
class Context:
    """One per HTTP request or WebSocket connection; the schema takes a `fresh` one for every operation."""

    viewer: Viewer | None
    request_token: str | None
    updates: StateUpdates
    preparer: Preparer
    sign_in: SignIn
    chain: Chain
    chain_identifier: str
    index: IndexReader
    content: ContentStore
    embedder: Embedder
    addresses: ProgramAddresses
    facts: TokenFacts
    limits: Limits
    measures: Measures
    announcements: Announcements
    reconciler: Reconciler
    restoration: Restoration
    boundaries: Boundaries
    reports: ClientReports
    lease: Lease = field(default_factory=OwnLease)
    catch_up: Callable[[], CatchUp] = CatchUp
    operators: frozenset[str] = frozenset()
    availability: Availability = field(default_factory=AlwaysAvailable)
    dev: DevTools | None = None
    keeper: Keeper | None = None
    deadline: float | None = None
    reads: CachedReads | None = None
    reread: bool = False
    socket: str | None = None
    repeatable: bool = field(default=False, init=False)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = self.fresh_loaders()

    @property
    def wallet(self) -> str | None:
        """The viewer's address, None for an anonymous caller."""
        return None if self.viewer is None else self.viewer.address

    @property
    def client_name(self) -> str | None:
        """Whose report of what is on screen this would be: the socket's, else the session's; None where neither is."""
        if self.socket is not None or self.request_token is None:
            return self.socket
        return sha256(self.request_token.encode()).hexdigest()

    def fresh(self, deadline: float | None = None, *, reread: bool = False) -> Context:
        """The same context with loaders that have read nothing yet; `deadline` in the event loop's time. With `reread`
        they read nothing from the cache."""
        return replace(self, deadline=deadline, reread=reread)

    def fresh_loaders(self, min_slot: int | None = None, *, reread: bool = False) -> Loaders:
        """Loaders that have read nothing yet and read nothing before `min_slot`, nor with `reread` from the cache."""
        return Loaders(
            self.chain,
            self.content,
            self.index,
            self.addresses,
            self.facts,
            min_slot=min_slot,
            reads=self.reads,
            reread=reread or self.reread,
            met=self.reconciler.met,
        )


Info: TypeAlias = strawberry.Info[Context, None]
