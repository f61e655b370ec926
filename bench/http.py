"""A small HTTP/1.1 client on asyncio, cheap so that it does not measure itself: POST over keep-alive connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson

TIMEOUT = 60.0


class Connection:
    """One keep-alive connection to one address."""

    def __init__(self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(url)
        self._head = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        self._reader = reader
        self._writer = writer
        self.token: str | None = None

    def request(self, body: bytes) -> bytes:
        """The bytes of a request, to send as often as wanted."""
        session = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        return f"{self._head}{session}Content-Length: {len(body)}\r\n\r\n".encode() + body

    async def exchange(self, request: bytes) -> bytes:
        """Send what `request` made; the answer's body. Raises RuntimeError unless it is a 200 of known length."""
        self._writer.write(request)
        async with asyncio.timeout(TIMEOUT):
            head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
            mark = head.find(b"\r\ncontent-length:")
            if not head.startswith(b"http/1.1 200") or mark < 0:
                raise RuntimeError(head.decode("latin-1") + (await self._reader.read(2_000)).decode("utf-8", "replace"))
            length = int(head[mark + 17 : head.index(b"\r\n", mark + 2)])
            return await self._reader.readexactly(length)

    async def graphql(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an operation. Raises RuntimeError where it has errors."""
        answer = orjson.loads(await self.exchange(self.request(operation(document, **variables))))
        if answer.get("errors"):
            raise RuntimeError(f"{answer['errors']}")
        data: dict[str, Any] = answer["data"]
        return data


def operation(document: str, /, **variables: Any) -> bytes:
    """Body of a GraphQL request."""
    return orjson.dumps({"query": document, "variables": variables})


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Connection]:
    """A connection for the length of the block."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**22)
    try:
        yield Connection(url, reader, writer)
    finally:
        writer.close()
