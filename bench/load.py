"""A load generator in a process of its own: one POST repeated over keep-alive connections for a while.

`python -m bench.load` reads a Job as JSON from stdin and writes a Load as JSON to stdout.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import asdict, dataclass

import orjson
import uvloop

from bench.http import Connection, connect
from bench.report import percentile


@dataclass(frozen=True, slots=True)
class Job:
    """What to send where. `seconds` are measured after `warm_up` seconds."""

    url: str
    body: str
    connections: int = 8
    seconds: float = 3.0
    warm_up: float = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: answers per second, latencies in ms, and bytes of an answer."""

    per_second: float
    p50: float
    p99: float
    answer_bytes: int


async def generate(job: Job) -> Load:
    """Runs the job in this process. Raises RuntimeError on any answer but a 200 of the first one's length."""
    starts = time.perf_counter() + job.warm_up
    ends = starts + job.seconds
    latencies: list[float] = []
    sizes: set[int] = set()

    async def one(connection: Connection) -> None:
        request = connection.request(job.body.encode())
        while (began := time.perf_counter()) < ends:
            answer = await connection.exchange(request)
            done = time.perf_counter()
            sizes.add(len(answer))
            if began >= starts and done <= ends:
                latencies.append((done - began) * 1e3)

    async def opened() -> None:
        async with connect(job.url) as connection:
            await one(connection)

    await asyncio.gather(*(opened() for _ in range(job.connections)))
    if not latencies:
        raise RuntimeError(f"{job.url} answered nothing within {job.seconds} s.")
    return Load(len(latencies) / job.seconds, percentile(latencies, 0.5), percentile(latencies, 0.99), max(sizes))


async def load(job: Job) -> Load:
    """Runs the job in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await asyncio.wait_for(process.communicate(orjson.dumps(asdict(job))), job.seconds + job.warm_up + 30)
    if process.returncode:
        raise RuntimeError(f"The load generator ended with {process.returncode}.")
    return Load(**orjson.loads(answer))


if __name__ == "__main__":
    found = uvloop.run(generate(Job(**orjson.loads(sys.stdin.buffer.read()))))
    sys.stdout.buffer.write(orjson.dumps(asdict(found)))
