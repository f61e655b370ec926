"""`chorale demo`: more demo data, through the server that holds the data directory, or without one."""

from __future__ import annotations

from dataclasses import replace

import httpx

from chorale.app import create_app
from chorale.demo.callers import DemoError, InProcess, OverHTTP
from chorale.demo.seeding import Demo
from chorale.domain.errors import StartupError
from chorale.process.data_directory import holder_of, own
from chorale.process.output import Say
from chorale.settings import Settings

_TIMEOUT = 120.0


async def demo(settings: Settings, size: int, say: Say) -> int:
    """Make `size` more messages. Raises StartupError where that cannot begin."""
    if not settings.embedded_chain:
        raise StartupError("Demo data needs the embedded chain: its wallets are made there. Unset CHORALE_CHAIN_URL.")
    try:
        holder = holder_of(settings.data)
        if holder is not None and holder.address:
            say(f"Through the server at {holder.address}.")
            async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as http:
                await Demo(OverHTTP(http, holder.address), say).grow(size)
            return 0
        with own(settings.data, "chorale demo"):
            app = create_app(replace(settings, keeper=replace(settings.keeper, runs=False)), say)
            async with app.router.lifespan_context(app):
                await app.services.watcher.caught_up()
                await Demo(InProcess(app), say).grow(size)
            return 0
    except* DemoError as errors:
        say(f"The demo data is incomplete: {errors.exceptions[0]} Run the command again to go on.")
    return 1
