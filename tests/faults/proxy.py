"""A TCP proxy between the server and one of its authorities that can break what goes through it, and mend it again.

It runs on a thread of its own, so that a test may turn it at any moment, from a coroutine or not. Connections that
are open feel a change at once, those that come later as well.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

Change = Callable[[bytes], bytes]

_CHUNK = 64 * 1024
_TURN_TIMEOUT = 10.0  # s for the proxy's thread to follow a turn
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Weather:
    """What happens to bytes on their way. `delay` in seconds for each chunk, each way; `rate` in bytes per second;
    `answers` changes what the authority sends, `asks` what it is sent."""

    delay: float = 0.0
    rate: float = 0.0
    answers: Change | None = None
    asks: Change | None = None


@dataclass(slots=True)
class Counts:
    """What has gone through: connections made, and bytes each way."""

    connections: int = 0
    asked: int = 0
    answered: int = 0


@dataclass(slots=True)
class Proxy:
    """From `port` (0 takes a free one) to `target_port` on loopback. Starts as a plain wire."""

    target_port: int
    port: int = 0
    counts: Counts = field(default_factory=Counts)
    _weather: Weather = field(default_factory=Weather)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _server: asyncio.Server | None = None
    _holder: socket.socket | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """As an HTTP address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """As a WebSocket address."""
        return f"ws://127.0.0.1:{self.port}"

    def pass_all(self) -> None:
        """A plain wire again. What `go_silent` has held arrives now; what was cut stays cut."""
        self._turn(self._pass())

    def cut(self) -> None:
        """Reset every connection now (RST); new ones are taken and pass."""
        self._turn(self._reset())

    def refuse(self) -> None:
        """Reset every connection and refuse new ones (ECONNREFUSED), until another turn."""
        self._turn(self._refuse())

    def go_silent(self) -> None:
        """Keep and take connections, and pass nothing: the cable is out. What was sent is held."""
        self._turn(self._hold())

    def delay(self, seconds: float) -> None:
        """Hold every chunk back for so long, each way."""
        self._turn(self._set(Weather(delay=seconds)))

    def throttle(self, bytes_per_second: float) -> None:
        """Let so much through, each way and on each connection."""
        self._turn(self._set(Weather(rate=bytes_per_second)))

    def corrupt(self, answers: Change | None = None, asks: Change | None = None) -> None:
        """Change bytes on their way; without arguments a tenth of what the authority answers becomes noise."""
        self._turn(self._set(Weather(answers=answers or (None if asks else noise()), asks=asks)))

    def start(self) -> None:
        """Listen; the port is known afterwards."""
        threading.Thread(target=self._run, name=f"proxy to {self.target_port}", daemon=True).start()
        self._turn(self._begin())

    def stop(self) -> None:
        """End every connection and the thread."""
        self._turn(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def _turn(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(_TURN_TIMEOUT)

    async def _begin(self) -> None:
        # A socket that is bound and never listens keeps the port while connections are refused.
        self._holder = _bound(self.port)
        self.port = self._holder.getsockname()[1]
        self._open.set()
        await self._listen()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, sock=_bound(self.port))

    async def _pass(self) -> None:
        await self._set(Weather())

    async def _set(self, weather: Weather) -> None:
        self._weather = weather
        self._open.set()
        await self._listen()

    async def _hold(self) -> None:
        self._weather = Weather()
        self._open.clear()
        await self._listen()

    async def _refuse(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self._reset()

    async def _reset(self) -> None:
        for writer in tuple(self._writers):
            reset(writer)

    async def _end(self) -> None:
        await self._refuse()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._holder is not None:
            self._holder.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.counts.connections += 1
        self._writers.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            from_there, there = await asyncio.open_connection("127.0.0.1", self.target_port)
            self._writers.add(there)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(reader, there, answers=False))
                pumps.create_task(self._pump(from_there, writer, answers=True))
        except* OSError:
            reset(writer)  # the authority is away, or either end was lost
        except* asyncio.CancelledError:
            pass  # the proxy ends
        finally:
            self._tasks.discard(task)
            for end in (writer, there):
                if end is not None:
                    self._writers.discard(end)
                    end.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while chunk := await reader.read(_CHUNK):
            weather = self._weather
            if weather.delay:
                await asyncio.sleep(weather.delay)
            if weather.rate:
                await asyncio.sleep(len(chunk) / weather.rate)
            await self._open.wait()
            change = self._weather.answers if answers else self._weather.asks
            if change is not None:
                chunk = change(chunk)
            if answers:
                self.counts.answered += len(chunk)
            else:
                self.counts.asked += len(chunk)
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError, RuntimeError):  # the other end is gone already
            writer.write_eof()


def noise(seed: int = 1) -> Change:
    """A change that makes a tenth of the bytes others, the same ones for the same seed."""
    chance = random.Random(seed)

    def change(chunk: bytes) -> bytes:
        return bytes(chance.randrange(256) if chance.random() < 0.1 else byte for byte in chunk)

    return change


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST instead of FIN, what is not sent yet included."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    bound.setblocking(False)
    return bound


@contextmanager
def running_proxy(target_port: int) -> Iterator[Proxy]:
    """A proxy to a port on loopback, a plain wire to begin with."""
    proxy = Proxy(target_port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
