"""`chorale verify`: through the server that holds the data directory, or without one by opening the house itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import httpx

from chorale.domain.errors import StartupError
from chorale.process.data_directory import Holder, holder_of, own
from chorale.process.output import Say
from chorale.process.verification_report import Json, as_json, as_text, progress_line
from chorale.process.verify_route import PATH
from chorale.settings import Settings

Reports = AsyncGenerator[Json, None]

_TOLD_EVERY = 0.5  # s between reports of the house that was opened here
_SILENCE = 30.0  # s without a line from the server


async def verify(settings: Settings, say: Say, announce: Say, *, repair: bool, machine: bool) -> int:
    """Verify everything and print the report, as JSON where `machine`; 0 where all agrees or was healed, 1 where
    conflicts are left, 2 where something could not be checked. Raises StartupError."""
    holder = holder_of(settings.data)
    served = holder is not None and holder.address and holder.token
    reports = _through(holder, repair, say) if holder is not None and served else _alone(settings, repair, say)
    last: Json | None = None
    said = ""
    async with aclosing(reports):
        async for last in reports:
            line = progress_line(last)
            if line != said:
                say(line)
            said = line
    if last is None or "exitCode" not in last:
        raise StartupError("The verification was broken off before its end. Run it again.")
    announce(json.dumps(last, indent=2) if machine else as_text(last))
    code: int = last["exitCode"]
    return code


async def _through(holder: Holder, repair: bool, say: Say) -> Reports:
    say(f"Through the server at {holder.address}.")
    headers = {"authorization": f"Bearer {holder.token}"}
    url = f"{holder.address}{PATH}?repair={int(repair)}"
    try:
        async with (
            httpx.AsyncClient(timeout=_SILENCE, trust_env=False) as http,
            http.stream("POST", url, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise StartupError(f"The server at {holder.address} refuses (HTTP {response.status_code}).")
            async for line in response.aiter_lines():
                yield json.loads(line)
    except (httpx.HTTPError, ValueError) as error:
        raise StartupError(f"The server at {holder.address} does not answer ({error!r}). Start it again.") from error


async def _alone(settings: Settings, repair: bool, say: Say) -> Reports:
    from chorale.app import create_app  # seconds of imports, which asking a server does without

    # Without samples: they repair, and this was perhaps asked to look only.
    limits = replace(settings.limits, verification_interval=0.0)
    settings = replace(settings, limits=limits, keeper=replace(settings.keeper, runs=False))
    with own(settings.data, "chorale verify"):
        app = create_app(settings, say)
        async with app.router.lifespan_context(app):
            await app.services.watcher.caught_up()
            boundaries = app.services.boundaries
            ended = asyncio.create_task(boundaries.verify(repair=repair))
            try:
                while not ended.done():
                    await asyncio.wait([ended], timeout=_TOLD_EVERY)
                    if (running := boundaries.running()) is not None and not ended.done():
                        yield as_json(running)
                yield as_json(ended.result())
            finally:
                ended.cancel()
