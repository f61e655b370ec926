"""The server once directory and port are its own: open the house, serve, make demo data, close."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from chorale.app import App, create_app
from chorale.demo.callers import InProcess
from chorale.demo.seeding import Demo
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.process.data_directory import Ownership
from chorale.process.heap import settle_heap
from chorale.process.http_server import make_server
from chorale.process.output import Say
from chorale.process.signals import on_signals
from chorale.settings import Settings

_TELL = 5.0  # s between lines about a catch-up that takes long


class ServerRun:
    """One run of the server, from opening the house to closing it."""

    def __init__(
        self, settings: Settings, ownership: Ownership, listener: socket.socket, say: Say, announce: Say
    ) -> None:
        self._settings = settings
        self._ownership = ownership
        self._listener = listener
        self._say = say
        self._announce = announce
        self._app = create_app(settings, say)
        self._server = make_server(self._app, settings.limits)
        self._stopped = asyncio.Event()

    async def run(self) -> int:
        """Serve until told to stop (0) or until a part fails for good (1). Raises StartupError."""
        with on_signals(self._on_signal):
            opened = asyncio.create_task(self._open_and_serve(), name="serve")
            stopped = asyncio.create_task(self._stopped.wait())
            await asyncio.wait((opened, stopped), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not opened.done() and not self._server.started:
                opened.cancel()  # told to stop while opening: what is open is closed on the way out
            with suppress(asyncio.CancelledError):
                return await opened
            return 0

    def _on_signal(self) -> None:
        if self._stopped.is_set():
            self._server.force_exit = True
        else:
            self._say("Stopping …")
        self._server.should_exit = True
        self._stopped.set()

    async def _open_and_serve(self) -> int:
        async with self._app.router.lifespan_context(self._app):
            await self._caught_up()
            settle_heap()
            self._ownership.announce(self._settings.http_address, self._app.services.rpc_url, self._app.local_token)
            serving = asyncio.create_task(self._server.serve([self._listener]), name="http")
            seeding = asyncio.create_task(self._seed_and_announce(), name="demo data")
            failure = self._app.failure
            try:
                await asyncio.wait((serving, failure), return_when=asyncio.FIRST_COMPLETED)
            finally:
                seeding.cancel()
                await asyncio.gather(seeding, return_exceptions=True)
                self._server.should_exit = True
                await serving
            if failure.done():
                self._say(failure.result())
                return 1
            return 0

    async def _caught_up(self) -> None:
        """Wait for derived state, and say how far it is where that takes long."""
        await told_meanwhile(self._app.house.caught_up(), self._app.failure, self._say_how_far, every=_TELL)

    def _say_how_far(self) -> None:
        with suppress(AuthorityUnavailableError):  # while it opens again
            come = self._app.services.watcher.catch_up()
            self._say(f"Catching up with the chain: {come.done:,} of {come.total:,} changes …")

    async def _seed_and_announce(self) -> None:
        if self._settings.demo and self._settings.embedded_chain:
            await seed_once(self._app, self._say)
        self._announce(f"GraphiQL: {self._settings.public_url}/")


async def told_meanwhile(
    work: Coroutine[Any, Any, None], failure: asyncio.Future[str], tell: Callable[[], None], *, every: float
) -> None:
    """Wait for `work` or the failure, whichever comes first, and `tell` every so many seconds until then. Raises what
    `work` raises."""
    working = asyncio.create_task(work)
    try:
        while not (await asyncio.wait((working, failure), timeout=every, return_when=asyncio.FIRST_COMPLETED))[0]:
            tell()
        if working.done():
            working.result()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def seed_once(app: App, say: Say) -> None:
    """The demo's discussions on a chain without threads, or what is missing of them where a start was broken off."""
    demo = Demo(InProcess(app), say)
    listed = await InProcess(app)("query AnyThread { threads(first: 1) { nodes { id } } }", {})
    try:
        if not listed["threads"]["nodes"] or await demo.begun():
            await demo.seed()
    except* ChoraleError as errors:
        say(f"The demo data is incomplete: {errors.exceptions[0]} The next start goes on with it.")
