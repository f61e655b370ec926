"""GraphiQL, from this server's own files, and the answer to every address that is none."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parents[1] / "static" / "graphiql"

# Stated rather than guessed: the tables of some systems serve scripts as plain text.
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor writes its own style elements
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_COMMON = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_YEAR = "public, max-age=31536000, immutable"


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content: they may be kept for ever."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one file."""
        response = await self.get_response(self.get_path(scope), scope)
        suffix = Path(scope["path"]).suffix
        if response.status_code in (200, 206) and suffix in _TYPES:
            response.headers["Content-Type"] = _TYPES[suffix]
        if response.status_code in (200, 206, 304):
            response.headers["Cache-Control"] = _YEAR
        response.headers.update(_COMMON)
        await response(scope, receive, send)


async def _index(request: Request) -> Response:
    headers = {**_COMMON, "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return FileResponse(FOLDER / "index.html", media_type=_TYPES[".html"], headers=headers)


def graphiql_routes() -> list[BaseRoute]:
    """`/` and the files that it loads."""
    return [Route("/", _index), Mount("/static/graphiql/assets", _Assets(directory=FOLDER / "assets", check_dir=False))]


async def as_json(request: Request, error: Exception) -> Response:
    """Answers what no route answered."""
    assert isinstance(error, HTTPException)
    code = error.detail.upper().replace(" ", "_")
    body = {"errors": [{"message": f"{error.detail}: {request.url.path}", "extensions": {"code": code}}]}
    return JSONResponse(body, error.status_code, headers=error.headers)


async def internal_error(request: Request, error: Exception) -> Response:
    """Answers a fault that nothing else caught; the server's log has it."""
    body = {"errors": [{"message": "Something went wrong inside the server.", "extensions": {"code": "INTERNAL"}}]}
    return JSONResponse(body, 500)
