"""A toy graph behind the real transports and the real HTTP server, for tests of the transports alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from chorale.auth import Viewer
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.process.http_server import listen, make_server
from datasources.metrics import PrometheusMeasures
from resolvers.transport.http import GraphQLOverHTTP
from resolvers.transport.one_operation import OneOperation
from resolvers.transport.websocket import GraphQLOverWebSocket

ALICE = "A11ce111111111111111111111111111111111111111"


class QuietSchema(strawberry.Schema):
    """Errors are logged where they are masked."""

    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        """Nothing here."""


@strawberry.type
class Query:
    """Questions whose answers show what the transport did."""

    @strawberry.field
    def hello(self, name: str = "world", count: int = 1) -> str:
        """Plain data."""
        return " ".join([f"hello {name}"] * count)

    @strawberry.field
    def viewer(self, info: strawberry.Info[Any, None]) -> str | None:
        """The caller's address."""
        viewer = info.context["viewer"]
        return None if viewer is None else str(viewer.address)

    @strawberry.field
    def context_number(self, info: strawberry.Info[Any, None]) -> int:
        """Which context this operation got."""
        return int(info.context["number"])

    @strawberry.field
    def broken(self) -> str:
        """Fails with a secret."""
        raise RuntimeError("the password is swordfish")

    @strawberry.field
    def away(self) -> str | None:
        """Fails as expected."""
        raise AuthorityUnavailableError(Authority.QDRANT)


@strawberry.type
class Mutation:
    """One change."""

    @strawberry.mutation
    def touch(self) -> int:
        """Changes nothing."""
        return 1


@strawberry.type
class Subscription:
    """Streams."""

    @strawberry.subscription
    async def count(self, to: int) -> AsyncIterator[int]:
        """Counts from 1."""
        for number in range(1, to + 1):
            yield number

    @strawberry.subscription
    async def forever(self) -> AsyncIterator[int]:
        """One event, then silence."""
        yield 1
        await asyncio.Event().wait()

    @strawberry.subscription
    async def fails(self) -> AsyncIterator[int]:
        """One event, then a fault with a secret."""
        yield 1
        raise RuntimeError("the password is swordfish")


class ToyContext(dict[str, Any]):
    """What the toy's resolvers look at; `socket` names the connection, as in a real one."""

    socket: str | None = None


@dataclass
class ToyGate:
    """Sessions by token: unix seconds of expiry."""

    sessions: dict[str, float] = field(default_factory=dict)
    contexts: int = 0
    measures: PrometheusMeasures = field(default_factory=PrometheusMeasures)

    async def admit(self, token: str) -> Viewer | None:
        """A viewer while the session lasts."""
        expires_at = self.sessions.get(token)
        return None if expires_at is None or expires_at <= time.time() else Viewer(ALICE, int(expires_at) + 1)

    def context(self, viewer: Viewer | None, token: str | None) -> Any:
        """A numbered context."""
        self.contexts += 1
        return ToyContext(viewer=viewer, number=self.contexts)


@dataclass
class Toy:
    """A running server."""

    address: str
    gate: ToyGate

    @property
    def ws(self) -> str:
        """URL for WebSocket."""
        return f"ws://{self.address}/graphql"


@asynccontextmanager
async def serve_toy(limits: Limits) -> AsyncIterator[Toy]:
    """The toy graph on a free port of loopback."""
    gate = ToyGate({"good": time.time() + 3600})
    schema = QuietSchema(Query, Mutation, Subscription, extensions=[OneOperation])
    app = Starlette(
        routes=[
            Route("/graphql", GraphQLOverHTTP(schema, gate, limits)),
            WebSocketRoute("/graphql", GraphQLOverWebSocket(schema, gate, limits)),
        ]
    )
    listener = listen("127.0.0.1", 0)
    server = make_server(app, limits)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield Toy(f"127.0.0.1:{listener.getsockname()[1]}", gate)
    finally:
        server.should_exit = True
        await serving
