"""GraphQL over WebSocket: the graphql-transport-ws protocol."""

from __future__ import annotations

from urllib.parse import urlsplit

import strawberry
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from chorale.limits import Limits
from resolvers.transport.connection import Connection
from resolvers.transport.gate import Gate

SUBPROTOCOL = "graphql-transport-ws"
SUBPROTOCOL_NOT_ACCEPTABLE = 4406


class GraphQLOverWebSocket:
    """ASGI application of one path. Pings and the first bound on message size are the server's (`chorale.process`)."""

    def __init__(self, schema: strawberry.Schema, gate: Gate, limits: Limits) -> None:
        self._schema = schema
        self._gate = gate
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection to its end."""
        websocket = WebSocket(scope, receive, send)
        if not is_own_origin(websocket.headers.get("origin"), websocket.headers.get("host")):
            await websocket.close()  # before it is accepted: the handshake is answered with 403
            return
        if SUBPROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(SUBPROTOCOL_NOT_ACCEPTABLE, f"This server speaks {SUBPROTOCOL}")
            return
        await websocket.accept(SUBPROTOCOL)
        self._gate.measures.opened("connection", 1)
        try:
            await Connection(websocket, self._schema, self._gate, self._limits).run()
        finally:
            self._gate.measures.opened("connection", -1)


def is_own_origin(origin: str | None, host: str | None) -> bool:
    """Whether a handshake comes from a page of this host, on any port, or from no page at all.

    Browsers apply no same-origin rule to sockets, and an embedded chain's dev mutations need no session.
    """
    if origin is None:
        return True
    try:
        return urlsplit(origin).hostname == urlsplit(f"//{host or ''}").hostname
    except ValueError:
        return False
