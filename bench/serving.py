"""`chorale serve` as a process with everything embedded, and what /proc tells of it (Linux)."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.http import Connection, connect

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT = 240.0
STOP_TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process and where it answers."""

    pid: int
    url: str


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident and proportional set size (shared pages divided among who shares them), MB, of some processes."""

    resident: float
    proportional: float
    processes: int


@asynccontextmanager
async def serving(
    data: Path, *, port: int = 0, demo: bool = False, ready: bool = True, further: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """A server on the folder `data`; `further` are settings without their `CHORALE_`. `ready` waits until it says where
    GraphiQL is (with `demo`: all data made)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHORALE_")}
    settings = {"DATA": str(data), "PORT": str(port), "CHAIN_RPC_PORT": "0", "DEMO": "01"[demo]}
    settings |= further or {}
    environment = kept | {f"CHORALE_{name}": value for name, value in settings.items()}
    command = (sys.executable, "-m", "chorale", "serve")
    async with _process(command, environment) as process:
        url = f"http://127.0.0.1:{port}/graphql"
        if ready:
            assert process.stdout is not None
            async with asyncio.timeout(START_TIMEOUT):
                line = (await process.stdout.readline()).decode().strip()
            if not line.startswith("GraphiQL: "):
                raise RuntimeError(f"`chorale serve` did not start: {line!r}")
            url = f"{line.removeprefix('GraphiQL: ')}graphql"
        yield Running(process.pid, url)


@asynccontextmanager
async def serving_app(name: str, **environment: str) -> AsyncIterator[Running]:
    """An ASGI factory (`module:function`) under uvicorn with the same loop and parser that Chorale runs on."""
    port = free_port()
    command = (
        sys.executable, "-m", "uvicorn", name, "--factory", "--port", str(port), "--loop", "uvloop",
        "--http", "httptools", "--no-access-log", "--no-server-header", "--log-level", "warning", "--lifespan", "off",
    )  # fmt: skip
    async with _process(command, dict(os.environ) | environment) as process:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if process.returncode is not None:
                    break
                await asyncio.sleep(0.05)
            else:
                writer.close()
                yield Running(process.pid, f"http://127.0.0.1:{port}/graphql")
                return
        raise RuntimeError(f"{name} did not start.")


@asynccontextmanager
async def _process(command: tuple[str, ...], environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def connected(running: Running) -> AsyncIterator[Connection]:
    """A connection to a server."""
    async with connect(running.url) as connection:
        yield connection


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="chorale-bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def memory(pid: int) -> Memory:
    """Of a process and all its descendants, now."""
    pids = list(_family(pid))
    totals = {"Rss": 0, "Pss": 0}
    for member in pids:
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in totals:
                totals[name] += int(rest.split()[0])
    return Memory(totals["Rss"] / 1000, totals["Pss"] / 1000, len(pids))


def _family(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _family(int(child))


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
