"""Killed at any moment: the server, the chain under it, or both, while several pairs write without pause."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator

from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, open_world
from tests.processes import child_of, is_running

# The server starts a dead chain again three times in five minutes, so no more than that in a row without a new server.
ROUND = ("server", "chain", "server", "chain", "both", "chain", "chain", "server")
_DELAY = 0.25  # s; longer than a mutation takes
_PAIRS = 3
_TELL_EVERY = 10


async def run(options: Options, report: ScenarioReport) -> None:
    """As many kills as `options` say."""
    async with open_world(options, report) as world:
        await world.settle_down(_PAIRS)
        cut_off = {True: 0, False: 0}
        begun = time.monotonic()
        for done, victim in enumerate(_victims(world), 1):
            await _round(world, victim, cut_off)
            if done % _TELL_EVERY == 0 or done == options.kills:
                each = (time.monotonic() - begun) / done
                print(
                    f"  {done} of {options.kills} kills, {each:.0f} s each; {_left(options.kills - done, each)}",
                    flush=True,
                )
        events = await world.check(everything=True)
        without = " of the server, since this run's chain is not killed" if options.cluster is not None else ""
        report.note(
            f"{options.kills} kills{without}; of the mutations cut off {cut_off[True]} were whole and "
            f"{cut_off[False]} had not happened; {events} events once and in order"
        )


def _left(kills: int, each: float) -> str:
    return f"{kills} are left, about {kills * each / 60:.0f} min" if kills else "none is left"


def _victims(world: World) -> Iterator[str]:
    of_chain = 0
    for number in range(world.options.kills):
        victim = "server" if world.options.cluster is not None else ROUND[number % len(ROUND)]
        if world.options.cluster is None and number >= len(ROUND):
            victim = world.dice.choice(ROUND if of_chain < 2 else ("server", "both"))
        of_chain = of_chain + 1 if victim == "chain" else 0
        yield victim


async def _round(world: World, victim: str, cut_off: dict[bool, int]) -> None:
    """Write, kill, recover, check."""
    stopping = asyncio.Event()
    writing = [asyncio.create_task(pair.write(stopping)) for pair in world.pairs]
    for _ in range(world.dice.randint(1, 6)):  # deeds begin, some end; the kill comes somewhere after the last
        await world.next_begin(writing)
    delay = world.dice.uniform(0, _DELAY)
    await asyncio.sleep(delay)
    await _kill(world, victim)
    stopping.set()
    started = None
    if victim != "chain":
        started = time.monotonic()
        await asyncio.to_thread(world.server.start)
    await world.ready()
    mended = time.monotonic()
    await asyncio.gather(*writing)

    def count(whole: bool | None) -> None:
        if whole is not None:
            cut_off[whole] += 1

    await world.agreed(f"kill -9 of {victim} {delay * 1000:.0f} ms later", "restart", mended, started, settled=count)


async def _kill(world: World, victim: str) -> None:
    server = world.server
    if victim == "server":
        await asyncio.to_thread(server.kill)
        return
    chain = child_of(server.pid)
    os.kill(chain, signal.SIGKILL)
    if victim == "both":
        await asyncio.to_thread(server.kill)
        return
    while is_running(chain):
        await asyncio.sleep(0.01)
