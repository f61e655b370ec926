"""The proxy does to real connections what each of its turns says, and mends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from tests.faults.proxy import Proxy, running_proxy
from tests.patience import PATIENCE


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy to a server that answers every line with the same line."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    with running_proxy(server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()


@pytest.fixture(autouse=True)
def wire(proxy: Proxy) -> Iterator[None]:
    """Mended afterwards, so that its end never waits."""
    yield
    proxy.pass_all()


class Line:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes, timeout: float = 10) -> bytes:
        """What comes back for a line."""
        self.writer.write(line + b"\n")
        await self.writer.drain()
        async with asyncio.timeout(timeout):
            return (await self.reader.readline()).rstrip(b"\n")


async def _line(proxy: Proxy) -> Line:
    return Line(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_a_plain_wire_passes_and_counts(proxy: Proxy) -> None:
    """Bytes arrive as they were sent, and are counted."""
    assert await (await _line(proxy)).ask(b"one") == b"one"
    assert (proxy.counts.connections, proxy.counts.asked, proxy.counts.answered) == (1, 4, 4)


async def test_a_cut_resets_and_lets_new_connections_pass(proxy: Proxy) -> None:
    """An open connection is reset; the next one works."""
    line = await _line(proxy)
    await line.ask(b"one")
    await asyncio.to_thread(proxy.cut)
    with pytest.raises(ConnectionResetError):
        await line.ask(b"two")
    assert await (await _line(proxy)).ask(b"three") == b"three"


async def test_refused_is_refused_until_it_passes_on_the_same_port(proxy: Proxy) -> None:
    """Nobody takes a connection meanwhile, and the port stays the proxy's."""
    port = proxy.port
    await asyncio.to_thread(proxy.refuse)
    with pytest.raises(ConnectionRefusedError):
        await _line(proxy)
    await asyncio.to_thread(proxy.pass_all)
    assert proxy.port == port
    assert await (await _line(proxy)).ask(b"again") == b"again"


async def test_silence_holds_what_was_sent(proxy: Proxy) -> None:
    """Nothing comes back while the cable is out; afterwards it does, on the same connection."""
    line = await _line(proxy)
    await line.ask(b"one")
    await asyncio.to_thread(proxy.go_silent)
    with pytest.raises(TimeoutError):
        await line.ask(b"two", timeout=0.2)
    await asyncio.to_thread(proxy.pass_all)
    async with asyncio.timeout(PATIENCE):
        assert await line.reader.readline() == b"two\n"


async def test_delays_and_throttles_are_at_least_as_long_as_said(proxy: Proxy) -> None:
    """Each way is held back."""
    clock = asyncio.get_running_loop().time
    line = await _line(proxy)
    for turn in (lambda: proxy.delay(0.1), lambda: proxy.throttle(40.0)):
        await asyncio.to_thread(turn)
        began = clock()
        assert await line.ask(b"one") == b"one"
        assert clock() - began >= 0.19


async def test_corruption_changes_answers_or_questions(proxy: Proxy) -> None:
    """What a change makes of the bytes is what arrives."""
    line = await _line(proxy)
    await asyncio.to_thread(lambda: proxy.corrupt(answers=bytes.upper))
    assert await line.ask(b"one") == b"ONE"
    await asyncio.to_thread(lambda: proxy.corrupt(asks=lambda asked: asked.replace(b"one", b"two")))
    assert await line.ask(b"one") == b"two"
    await asyncio.to_thread(proxy.pass_all)
    assert await line.ask(b"one") == b"one"
