"""start: from process start to the first GraphQL answer on an existing data directory, and the memory of all processes.

Beside it the least that any server with this model would need: a Python process that loads it and embeds one text.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.http import connect
from bench.people import Demo
from bench.report import figure, ratios, spread, table
from bench.serving import ROOT, Memory, free_port, memory, serving

REPETITIONS = 5
PATIENCE = 60.0
FIRST = "{ threads(first: 3) { nodes { title messageCount } } }"
SEARCH = '{ search(query: "a lamp in the fog") { nodes { contentHash } } }'

_MODEL_ALONE = """
import sys, time
from fastembed import TextEmbedding
model = TextEmbedding("sentence-transformers/all-MiniLM-L6-v2", specific_model_path=sys.argv[1], threads=1,
                      enable_cpu_mem_arena=False)
list(model.embed(["a lamp in the fog"]))
print("ready", flush=True)
sys.stdin.read()
"""


async def run(demo: Demo) -> str:
    """The tables."""
    data = await demo.data()
    starts, alone, after_start, after_search, alone_memory = [], [], [], [], []
    for _ in range(REPETITIONS):
        seconds, started, searched = await _serve(data)
        starts.append(seconds)
        after_start.append(started)
        after_search.append(searched)
        seconds, loaded = await _model_alone(data)
        alone.append(seconds)
        alone_memory.append(loaded)
    times = table(
        ("seconds to the first answer (min / median / max)", "s", "ratio"),
        [
            ("chorale serve, existing data directory", spread(starts), ratios(starts, alone)),
            ("Python that loads the model alone", spread(alone), "1"),
        ],
    )
    sizes = table(
        ("memory (median)", "processes", "RSS MB, summed", "PSS MB, summed", "ratio of PSS"),
        [
            _sizes("chorale serve, after the first answer", after_start, alone_memory),
            _sizes("chorale serve, after a search", after_search, alone_memory),
            _sizes("Python with the model alone", alone_memory, alone_memory),
        ],
    )
    return f"{times}\n\n{sizes}\n\nAims: 3 s, 600 MB."


def _sizes(name: str, found: Sequence[Memory], others: Sequence[Memory]) -> tuple[str, ...]:
    proportional = [one.proportional for one in found]
    return (
        name,
        str(found[0].processes),
        figure(median(one.resident for one in found)),
        figure(median(proportional)),
        ratios(proportional, [one.proportional for one in others]),
    )


async def _serve(data: Path) -> tuple[float, Memory, Memory]:
    port, began = free_port(), time.perf_counter()
    async with serving(data, port=port, ready=False) as server:
        while True:
            try:
                # The port is bound early and answers late: this waits in the server's backlog.
                async with connect(server.url) as connection:
                    answer = await connection.graphql(FIRST)
                break
            except (OSError, EOFError):
                if time.perf_counter() - began > PATIENCE:
                    raise
                await asyncio.sleep(0.01)
        seconds = time.perf_counter() - began
        if not answer["threads"]["nodes"]:
            raise RuntimeError("The data directory holds no threads.")
        started = memory(server.pid)
        async with connect(server.url) as connection:
            await connection.graphql(SEARCH)
        return seconds, started, memory(server.pid)


async def _model_alone(data: Path) -> tuple[float, Memory]:
    [folder] = [path.parent for path in (data / "models").rglob("model.onnx")]
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _MODEL_ALONE, str(folder),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        return time.perf_counter() - began, memory(process.pid)
    finally:
        await process.communicate(b"")
