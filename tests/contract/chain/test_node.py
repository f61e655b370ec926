"""Requests to a node arrive once each over kept connections, and whatever goes wrong on the way is an OSError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from datasources.solana import http
from datasources.solana.http import Answer, open_node

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
UNSIZED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"


class Peer:
    """A server that counts; `answers` gives the bytes for the nth request of the nth connection, None to go away."""

    def __init__(self, answers: Callable[[int, int], bytes | None]) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self._answers = answers

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection, request = self.connections, 0
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(size))
                request += 1
                answer = self._answers(connection, request)
                if answer is None:
                    break
                writer.write(answer)
                if answer in (UNSIZED, CUT):
                    break
        writer.close()


@asynccontextmanager
async def served(answers: Callable[[int, int], bytes | None]) -> AsyncIterator[tuple[Peer, str]]:
    """A peer and its address."""
    peer = Peer(answers)
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    try:
        yield peer, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize("answer", [SIZED, CHUNKED])
async def test_a_connection_is_kept(answer: bytes) -> None:
    """Requests after one another share a connection, those at the same time do not."""
    async with served(lambda *_: answer) as (peer, url), open_node(url) as node:
        for _ in range(3):
            assert await node.post(b"one") == Answer(200, b"ok")
        assert peer.connections == 1
        await asyncio.gather(node.post(b"two"), node.post(b"three"))
        assert peer.connections == 2
    assert sorted(peer.bodies) == [b"one", b"one", b"one", b"three", b"two"]


async def test_an_answer_may_end_with_its_connection() -> None:
    """Without a length the body is what came until the end; the next request connects anew."""
    async with served(lambda *_: UNSIZED) as (peer, url), open_node(url) as node:
        assert await node.post(b"one") == Answer(200, b"ok")
        assert await node.post(b"two") == Answer(200, b"ok")
        assert peer.connections == 2


async def test_a_kept_connection_that_is_closed_under_a_request() -> None:
    """The request is sent again on a new connection."""
    async with served(lambda connection, request: SIZED if (connection, request) != (1, 2) else None) as (peer, url):
        async with open_node(url) as node:
            await node.post(b"one")
            assert await node.post(b"two") == Answer(200, b"ok")
    assert peer.bodies == [b"one", b"two", b"two"]


@pytest.mark.parametrize("answer", [None, CUT, b"SSH-2.0-OpenSSH\r\n"])
async def test_no_answer_is_an_oserror(answer: bytes | None) -> None:
    """Closed at once, cut short, or no HTTP."""
    async with served(lambda *_: answer) as (_, url), open_node(url) as node:
        with pytest.raises(OSError):
            await node.post(b"one")


async def test_nobody_listens() -> None:
    """A refused connection is an OSError too."""
    async with served(lambda *_: SIZED) as (_, url):
        pass
    async with open_node(url) as node:
        with pytest.raises(OSError):
            await node.post(b"one")


async def test_silence_and_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is too late is a TimeoutError, and is never taken for the next request's."""
    monkeypatch.setattr(http, "_ANSWER_SECONDS", 0.05)
    async with served(lambda connection, _: b"" if connection == 1 else SIZED) as (peer, url), open_node(url) as node:
        with pytest.raises(TimeoutError):
            await node.post(b"one")
        assert await node.post(b"two") == Answer(200, b"ok")
        assert peer.connections == 2


async def test_path_query_and_password_of_the_address() -> None:
    """Providers put keys there."""
    async with served(lambda *_: SIZED) as (peer, url):
        async with open_node(url.replace("//", "//me:p%40ss@") + "/v1?api-key=abc") as node:
            await node.post(b"one")
    [head] = peer.heads
    assert head.startswith(b"POST /v1?api-key=abc HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Basic bWU6cEBzcw==\r\n" in head
