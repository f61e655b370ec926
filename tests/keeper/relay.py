"""A relay before an RPC node that keeps transactions back: before they reach the node, or only its answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson


class Relay:
    """`hold` "" passes everything on; "request" keeps sendTransaction from the node, "answer" its answer from us."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.hold = ""
        self.held = asyncio.Event()
        self.sent: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of HTTP/1.1."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
                while head := await reader.readuntil(b"\r\n\r\n"):
                    fields = dict(line.lower().split(b": ", 1) for line in head.strip().split(b"\r\n")[1:])
                    body = await reader.readexactly(int(fields[b"content-length"]))
                    sends = b'"sendTransaction"' in body
                    if sends:
                        self.sent.append(orjson.loads(body)["params"][0])
                    if not (sends and self.hold == "request"):
                        answer = await http.post(
                            self._target, content=body, headers={"content-type": "application/json"}
                        )
                    if sends and self.hold:
                        self.held.set()
                        await asyncio.Event().wait()
                    status = f"HTTP/1.1 {answer.status_code} OK\r\ncontent-type: application/json\r\n"
                    writer.write(f"{status}content-length: {len(answer.content)}\r\n\r\n".encode() + answer.content)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def open_relay(target: str) -> AsyncIterator[Relay]:
    """A relay on a free port of loopback."""
    relay = Relay(target)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(relay.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
