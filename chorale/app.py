"""The application: one lifespan that opens everything, and the routes on top of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route, WebSocketRoute

from chorale.auth import Viewer
from chorale.context import Context
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from chorale.process.house import House
from chorale.process.live_measures import watch_house
from chorale.process.output import Say
from chorale.process.services import Services
from chorale.process.verify_route import PATH, VerifyRoute
from chorale.settings import Settings
from datasources.metrics import PrometheusMeasures
from resolvers.schema import build_schema
from resolvers.transport.health import Check, Readyz, healthz
from resolvers.transport.http import GraphQLOverHTTP
from resolvers.transport.metrics import MetricsPage
from resolvers.transport.pages import as_json, graphiql_routes, internal_error
from resolvers.transport.websocket import GraphQLOverWebSocket

log = logging.getLogger("chorale")

_PATIENCE = 1.0  # s, within those that `/readyz` gives a check


class App(Starlette):
    """The ASGI application. `house` is open while its lifespan runs; `failure` is then set with the reason once it
    cannot go on. `local_token` is for commands on this machine that may read the data directory."""

    schema: strawberry.Schema
    local_token: str
    house: House
    failure: asyncio.Future[str]

    @property
    def services(self) -> Services:
        """What is open now. AuthorityUnavailableError while it is being opened again."""
        return self.house.services

    @property
    def measures(self) -> PrometheusMeasures:
        """What is measured for the life of the process."""
        return self.house.standing.measures

    async def admit(self, token: str) -> Viewer | None:
        """The viewer of a session token."""
        return await self.services.admit(token)

    def context(self, viewer: Viewer | None, token: str | None) -> Context:
        """A context for one operation."""
        return self.services.context(viewer, token)

    def checks(self) -> Mapping[str, Check]:
        """What `/readyz` asks."""
        try:
            services = self.services
        except AuthorityUnavailableError as error:
            return {"solana": partial(_refused, error)}
        return {
            "solana": lambda: _well(services, Authority.SOLANA, services.chain.slot),
            "qdrant": lambda: _well(services, Authority.QDRANT, services.content.ready),
            "index": lambda: _reached(services),
            "sessions": lambda: _well(services, Authority.BACKEND, lambda: services.sessions.get("ready")),
        }


async def _well(services: Services, authority: Authority, asked: Callable[[], Awaitable[object]]) -> None:
    """Raises AuthorityUnavailableError where it does not answer, or lives in the past."""
    services.availability.check(authority)
    await asked()


async def _reached(services: Services) -> None:
    """Raises AuthorityUnavailableError where derived state has not caught up yet, saying how far it is."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await services.watcher.ready()
    except TimeoutError:
        progress = services.watcher.catch_up()
        raise AuthorityUnavailableError(
            Authority.SOLANA, f"Catching up: {progress.done:,} of {progress.total:,} changes are in derived state."
        ) from None


async def _refused(error: AuthorityUnavailableError) -> None:
    raise error


def create_app(settings: Settings, say: Say = log.info) -> App:
    """The application for these settings; `say` takes lines about what takes long at start.

    Runs under any ASGI server whose process owns the data directory. The lifespan raises StartupError.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with app.house.open() as app.failure:
            yield

    app = App(lifespan=lifespan, exception_handlers={HTTPException: as_json, Exception: internal_error})
    app.house = House(settings, say)
    watch_house(app.measures, lambda: app.services)
    app.local_token = secrets.token_urlsafe(32)
    app.schema = build_schema(embedded=settings.embedded_chain, limits=settings.limits)
    app.router.routes += [
        Route("/graphql", GraphQLOverHTTP(app.schema, app, settings.limits)),
        WebSocketRoute("/graphql", GraphQLOverWebSocket(app.schema, app, settings.limits)),
        Route("/healthz", healthz),
        Route("/readyz", Readyz(app.checks).answer),
        Route(PATH, VerifyRoute(lambda: app.services.boundaries, app.local_token).answer, methods=["POST"]),
        *graphiql_routes(),
    ]
    if settings.serves_metrics:
        page = MetricsPage(app.measures.page, settings.operators.metrics_token)
        app.router.routes.append(Route("/metrics", page.answer))
    return app
