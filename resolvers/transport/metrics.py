"""`/metrics`: what is measured, as Prometheus reads it."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from resolvers.transport.gate import bearer

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class MetricsPage:
    """Served to whoever brings `token`; to everybody where that is "". `text` gives the page and its content type."""

    def __init__(self, text: Callable[[], tuple[bytes, str]], token: str) -> None:
        self._text = text
        self._token = token.encode()

    async def answer(self, request: Request) -> Response:
        """Answer one scrape. Raises HTTPException 401 without the token."""
        brought = (bearer(request.headers.get("authorization")) or "").encode()
        if self._token and not hmac.compare_digest(brought, self._token):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer", **_HEADERS})
        page, content_type = self._text()
        return Response(page, headers={"Content-Type": content_type, **_HEADERS})
