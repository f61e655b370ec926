"""`/healthz`: the process is up. `/readyz`: the authorities are reachable and derived state has caught up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chorale.domain.errors import ChoraleError

Check = Callable[[], Awaitable[object]]

_TIMEOUT = 2.0
_HEADERS = {"Cache-Control": "no-store"}


async def healthz(request: Request) -> Response:
    """Always 200: whoever reads it has reached the process."""
    return JSONResponse({"status": "ok"}, headers=_HEADERS)


class Readyz:
    """200 where every check passes, 503 naming those that do not."""

    def __init__(self, checks: Callable[[], Mapping[str, Check]]) -> None:
        self._checks = checks

    async def answer(self, request: Request) -> Response:
        """Run all checks at once, two seconds at most."""
        checks = self._checks()
        states = await asyncio.gather(*(_state(check) for check in checks.values()))
        ready = all(state == "ok" for state in states)
        body = {"ready": ready, "checks": dict(zip(checks, states, strict=True))}
        return JSONResponse(body, 200 if ready else 503, headers=_HEADERS)


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT):
            await check()
    except TimeoutError:
        return f"no answer within {_TIMEOUT:g} s"
    except ChoraleError as error:
        return str(error)
    return "ok"
