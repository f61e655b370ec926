"""The house, opened for as long as the server runs, and opened again where the node serves another chain or the index
is damaged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chorale.domain.errors import AuthorityUnavailableError, StartupError
from chorale.domain.updates import Authority
from chorale.process.opening import open_services
from chorale.process.output import Say
from chorale.process.services import Services, Standing
from chorale.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # s between attempts to open on another chain, doubling


class House:
    """What is open now. `standing` stays for the life of the process."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._services: Services | None = None
        self._opened = asyncio.Event()  # whether there are any now
        self.standing = Standing.under(settings.limits)

    @property
    def services(self) -> Services:
        """The open services. AuthorityUnavailableError while they are being opened again."""
        if self._services is None:
            raise AuthorityUnavailableError(
                Authority.BACKEND, "This server opens again, on another chain or with a new index. Try again shortly."
            )
        return self._services

    async def caught_up(self) -> None:
        """Wait until derived state has caught up once, in services that may have been opened again meanwhile."""
        while True:
            await self._opened.wait()
            services = self.services
            waiting = [asyncio.create_task(each) for each in (services.watcher.caught_up(), services.replaced.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
            if not services.replaced.is_set():
                return

    @asynccontextmanager
    async def open(self) -> AsyncIterator[asyncio.Future[str]]:
        """Open, and keep open. Gives a future that is set with the reason once a part fails for good. Raises
        StartupError where the first opening fails."""
        failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        opened = asyncio.Event()
        keeping = asyncio.create_task(self._keep(opened, failure), name="house")
        keeping.add_done_callback(lambda done: _told(done, failure))
        waiting = asyncio.create_task(opened.wait())
        try:
            await asyncio.wait((keeping, waiting), return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            yield failure
        finally:
            waiting.cancel()
            keeping.cancel()
            await asyncio.wait((keeping,))
            self._services = None
        if not keeping.cancelled():
            keeping.result()  # what closing raised

    async def _keep(self, opened: asyncio.Event, failure: asyncio.Future[str]) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                async with open_services(self._settings, self._say, self.standing) as services:
                    self._services = services
                    self._opened.set()
                    pause = _FIRST_PAUSE
                    opened.set()
                    await self._until_replaced(services, failure)
                    self._opened.clear()
                    self._services = None
            except StartupError as error:
                # Only the first opening is the operator's matter: the new chain may not be ready yet.
                if not opened.is_set():
                    raise
                self._say(f"Opening again in {pause:.1f} s: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _until_replaced(self, services: Services, failure: asyncio.Future[str]) -> None:
        replaced = asyncio.create_task(services.replaced.wait())
        try:
            await asyncio.wait((replaced, services.failure), return_when=asyncio.FIRST_COMPLETED)
            if services.failure.done():
                failure.set_result(services.failure.result())
                await asyncio.Event().wait()  # whoever opened the house closes it
        finally:
            replaced.cancel()


def _told(keeping: asyncio.Task[None], failure: asyncio.Future[str]) -> None:
    """Whatever ends the keeping is a part that failed for good: without services there is nothing to serve."""
    if not keeping.cancelled() and (error := keeping.exception()) is not None and not failure.done():
        failure.set_result(f"The house cannot be kept open: {error!r}.")
