"""Cut, held, slowed and garbled: the wires to RPC, PubSub, Qdrant and Redis, while a pair writes without pause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tests.faults.lines import Lines, proxied
from tests.faults.proxy import Proxy
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, open_world

BREAKS: dict[str, Callable[[Proxy], None]] = {
    "cut": Proxy.cut,
    "refused": Proxy.refuse,
    "silent": Proxy.go_silent,
    "late by 0.3 s": lambda proxy: proxy.delay(0.3),
    "one byte in ten wrong": Proxy.corrupt,
}
_LASTS = 1.5  # s; longer than an operation's first attempt, shorter than a client's patience
_SHORT = (
    ("rpc", "refused"),
    ("pubsub", "refused"),
    ("redis", "refused"),
    ("rpc", "silent"),
    ("qdrant", "refused"),
    ("qdrant", "silent"),
    ("rpc", "one byte in ten wrong"),
    ("qdrant", "one byte in ten wrong"),
)


async def run(options: Options, report: ScenarioReport) -> None:
    """Every wire broken in every way."""
    with proxied(options, report.name, content=True) as lines:
        async with open_world(options, report, cluster=lines.through, direct=lines.direct, **lines.environ) as world:
            await world.settle_down()
            for wire, proxy in _wires(lines).items():
                for how, turn in BREAKS.items():
                    if not options.short or (wire, how) in _SHORT:
                        await _break(world, wire, proxy, how, turn)


def _wires(lines: Lines) -> dict[str, Proxy]:
    wires = {"rpc": lines.rpc, "pubsub": lines.pubsub, "qdrant": lines.qdrant, "redis": lines.redis}
    return {name: wire for name, wire in wires.items() if wire is not None}


async def _break(world: World, wire: str, proxy: Proxy, how: str, turn: Callable[[Proxy], None]) -> None:
    stopping = asyncio.Event()
    world.begun.clear()
    writing = [asyncio.create_task(pair.write(stopping)) for pair in world.pairs]
    begun = asyncio.create_task(world.begun.wait())
    await asyncio.wait((begun, *writing), return_when=asyncio.FIRST_COMPLETED)
    try:
        await asyncio.to_thread(turn, proxy)
        await asyncio.sleep(_LASTS)  # the fault itself
    finally:
        await asyncio.to_thread(proxy.pass_all)
    mended = time.monotonic()
    stopping.set()
    begun.cancel()
    await asyncio.gather(*writing)
    await world.ready()
    await world.agreed(f"{wire} {how} for {_LASTS:.1f} s", "mended, followed again", mended)
