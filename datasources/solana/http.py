"""HTTP/1.1 to one node: POST over kept connections, and no more than that.

A general client costs more than a millisecond of processor time a request, several times what the embedded chain needs
to answer it; an update asks a dozen times.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote, urlsplit

import httptools

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 15.0
_CONNECTIONS = 64
_KEPT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes


class Node:
    """Connections to the address `url`, kept between requests. Belongs to the event loop that uses it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._ssl = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._ssl else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc.rpartition('@')[2]}",
            "Content-Type: application/json",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "User-Agent: chorale",
        ]
        if parts.username is not None:
            user = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines.append(f"Authorization: Basic {b64encode(user).decode()}")
        self._head = "\r\n".join((*lines, "Content-Length: ")).encode()
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()

    async def post(self, body: bytes) -> Answer:
        """One exchange. Raises OSError where the node cannot be reached, does not answer in time, or not in HTTP.

        A request whose kept connection the node has closed is sent once more: it must be one that may be repeated.
        """
        request = b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        async with asyncio.timeout(_ANSWER_SECONDS), self._slots:
            kept = self._kept()
            if kept is not None:
                with suppress(ConnectionError):
                    return await self._exchange(kept, request)
            return await self._exchange(await self._connect(), request)

    async def close(self) -> None:
        """Close all connections; who still waits gets a ConnectionError."""
        for connection in tuple(self._open):
            connection.close()
        self._idle.clear()

    async def _exchange(self, connection: _Connection, request: bytes) -> Answer:
        try:
            answer = await connection.exchange(request)
        except BaseException:
            connection.close()  # an answer may still come, and would be taken for the next one's
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def _kept(self) -> _Connection | None:
        oldest = time.monotonic() - _KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.used_at > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: _Connection(self._open), self._host, self._port, ssl=self._ssl
            )
        return connection


@asynccontextmanager
async def open_node(url: str) -> AsyncIterator[Node]:
    """A node whose connections are closed at the end of the block."""
    node = Node(url)
    try:
        yield node
    finally:
        await node.close()


class _Connection(asyncio.Protocol):
    """One connection; one exchange at a time. `opened` holds it while it is open."""

    def __init__(self, opened: set[_Connection]) -> None:
        self.reusable = False
        self.used_at = 0.0
        self._opened = opened
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._ends_with_connection = True

    async def exchange(self, request: bytes) -> Answer:
        """Send `request` and wait for the answer. Raises ConnectionError."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self.reusable = False
        self._parser = httptools.HttpResponseParser(self)
        self._body = []
        self._ends_with_connection = True
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close at once."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is one without saying so
        self._opened.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None:
            return self.close()  # nothing was asked
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"it does not speak HTTP: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        self._opened.discard(self)
        if exc is None and self._ends_with_connection and self._parser.get_status_code():
            self._done()
        self._fail(ConnectionResetError("the connection was lost"))

    # What the parser calls

    def on_header(self, name: bytes, _value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._ends_with_connection = False

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.reusable = self._parser.should_keep_alive()
        self._done()

    def _done(self) -> None:
        self.used_at = time.monotonic()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(Answer(self._parser.get_status_code(), b"".join(self._body)))

    def _fail(self, error: ConnectionError) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
