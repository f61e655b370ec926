"""HTTP and WebSocket around the ledger: an ASGI application, its sockets, and a server that stops cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from datasources.solana.localnet.connection import Connection
from datasources.solana.localnet.errors import PortInUseError
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.pubsub import Hub
from datasources.solana.localnet.rpc import answer

_MAX_BODY = 1 << 20
_FREE_PAIR_ATTEMPTS = 50
_STOP_SECONDS = 3
_KEEP_ALIVE_SECONDS = 75  # longer than clients keep theirs, so that they never send into a closing connection


def create_rpc_app(ledger: Ledger, hub: Hub) -> Starlette:
    """The ASGI application: JSON-RPC by POST and PubSub by WebSocket, both at `/`, and `/health`."""

    async def rpc(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return PlainTextResponse("The request is too large.", 413)
        return Response(answer(ledger, body, from_page="origin" in request.headers), media_type="application/json")

    async def pubsub(websocket: WebSocket) -> None:
        await Connection(websocket, hub).run()

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[Route("/", rpc, methods=["POST"]), Route("/health", health), WebSocketRoute("/", pubsub)],
        # Browser wallets call RPC nodes from any page, so nodes answer any page; the chain's own methods do not.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"])],
    )


def bind_pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Listening sockets on `port` and the next; 0 takes a free pair. Raises PortInUseError."""
    if port:
        first = _bind(host, port)
        try:
            return first, _bind(host, port + 1)
        except PortInUseError:
            first.close()
            raise
    for _ in range(_FREE_PAIR_ATTEMPTS):
        first = _bind(host, 0)
        try:
            return first, _bind(host, first.getsockname()[1] + 1)
        except PortInUseError:
            first.close()
    raise PortInUseError(host, port, "no free pair of ports found")


class Server(uvicorn.Server):
    """A uvicorn server that calls `started` when it accepts requests, and leaves signals to its caller."""

    def __init__(self, app: Starlette, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="websockets-sansio",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_STOP_SECONDS,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                ws_max_size=_MAX_BODY,
                # As on a real node. With it web3.js compresses aside, and its calls overtake its subscriptions.
                ws_per_message_deflate=False,
            )
        )
        self._on_ready = on_ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None are taken."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._on_ready()


async def serve(ledger: Ledger, sockets: tuple[socket.socket, socket.socket], on_ready: Callable[[], None]) -> None:
    """Serve until cancelled; open WebSockets are closed on the way out."""
    hub = Hub(ledger)
    server = Server(create_rpc_app(ledger, hub), on_ready)
    ticker = asyncio.create_task(hub.run())
    serving = asyncio.create_task(server.serve(list(sockets)))
    try:
        done, _ = await asyncio.wait((serving, ticker), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # neither ends by itself but by an error
    finally:
        ticker.cancel()
        server.should_exit = True
        await asyncio.gather(serving, ticker, return_exceptions=True)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle off; without, every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = "in use" if getattr(error, "errno", None) == errno.EADDRINUSE else str(error)
        raise PortInUseError(host, port, reason) from error
    return listener
