"""Where `chorale verify` reaches the server that holds the data directory: a stream of reports, for whoever can read
the token in that directory's lock file, which is its owner's alone."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from chorale.boundaries import Boundaries
from chorale.domain.errors import AuthorityUnavailableError
from chorale.process.verification_report import as_json

PATH = "/operator/verify"
_TOLD_EVERY = 0.5  # s


class VerifyRoute:
    """POST with `Authorization: Bearer <token>`; `?repair=1` has conflicts resolved. Answers one report a line, the
    last of them whole. The verification goes on where the caller leaves. `boundaries` raises AuthorityUnavailableError
    while the house is being opened again."""

    def __init__(self, boundaries: Callable[[], Boundaries], token: str) -> None:
        self._boundaries = boundaries
        self._expected = f"Bearer {token}".encode()

    async def answer(self, request: Request) -> Response:
        """403 without the token, 503 where there is nothing to verify now."""
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            return JSONResponse({"error": "This needs the token in the data directory's lock file."}, 403)
        repair = request.query_params.get("repair") == "1"
        try:
            boundaries = self._boundaries()
        except AuthorityUnavailableError as error:
            return JSONResponse({"error": str(error)}, 503)
        return StreamingResponse(self._reports(boundaries, repair), media_type="application/x-ndjson")

    async def _reports(self, boundaries: Boundaries, repair: bool) -> AsyncIterator[bytes]:
        ended = asyncio.create_task(boundaries.verify(repair=repair))
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=_TOLD_EVERY)
                if (running := boundaries.running()) is not None and not ended.done():
                    yield _line({**as_json(running), "conflicts": []})
            yield _line(as_json(ended.result()))
        finally:
            ended.cancel()


def _line(report: object) -> bytes:
    return orjson.dumps(report) + b"\n"
