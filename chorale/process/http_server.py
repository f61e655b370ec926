"""The HTTP server under the application: its socket, its bounds, and how it ends."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from chorale.domain.errors import StartupError
from chorale.limits import Limits

GRACE_SECONDS = 5
_BACKLOG = 2048
_UNREAD_TIMEOUT = 60_000  # ms that sent bytes may wait for a peer before the system gives the connection up


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the command decides what a signal means (set `should_exit`)."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the process's signal handlers alone."""
        yield


def make_server(app: ASGIApp, limits: Limits) -> Server:
    """A server for `app`, whose lifespan the caller runs. Pings sockets and drops the ones that stop answering."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=limits.ws_message_bytes,
            ws_ping_interval=limits.ws_ping_interval,
            ws_ping_timeout=limits.ws_ping_interval,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            access_log=False,
            server_header=False,
            log_config=None,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; StartupError names the cure where the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartupError(f"CHORALE_HOST={host!r} is no address of this machine: {error.strerror}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_TIMEOUT)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise StartupError(
                f"Port {port} on {host} is in use by another program. Stop it, or set CHORALE_PORT to another port "
                "(0 takes a free one)."
            ) from error
        raise StartupError(
            f"Cannot listen on {host} port {port}: {error.strerror}. Set CHORALE_HOST and CHORALE_PORT to an address "
            "that this user may take."
        ) from error
    return listener
