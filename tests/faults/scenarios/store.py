"""Qdrant killed under a running server, between writes and during them, and back in an older state."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tests.faults.qdrant_process import QdrantProcess, running_qdrant_process
from tests.faults.report import ScenarioReport
from tests.faults.supply import look_meanwhile, supply, without_bytes
from tests.faults.world import Options, World, open_world
from tests.faults.writers import UnansweredError

_KILLS = 8
_DELAY = 0.25  # s; longer than a mutation takes
_AWAY = 1.0  # s; shorter than a client's patience


async def run(options: Options, report: ScenarioReport) -> None:
    """Killed between writes, during writes, and put back in time."""
    folder = options.folder / report.name / "qdrant"
    folder.parent.mkdir(parents=True)
    with running_qdrant_process(folder) as qdrant:
        async with open_world(options, report, CHORALE_CONTENT_URL=qdrant.url, CHORALE_VERIFY_EVERY="0") as world:
            world.made_by_server = ("UpdateVerified", "ContentRestored")
            await world.settle_down(2)
            await world.check()
            await _between_writes(world, qdrant)
            for _ in range(2 if options.short else _KILLS):
                await _during_writes(world, qdrant)
            await _older_state(world, qdrant)


async def _between_writes(world: World, qdrant: QdrantProcess) -> None:
    """What is asked for meanwhile is not acknowledged; asked again under its key, it has one effect."""
    pair = world.pairs[0]
    deed = await pair.begin("postMessage", key=True)
    await asyncio.to_thread(qdrant.kill)
    with suppress(UnansweredError):
        await deed.run()
    assert not deed.status, "acknowledged without a store"
    await asyncio.to_thread(qdrant.start)
    mended = time.monotonic()
    await world.ready()
    for each in world.pairs:
        each.checked = 0
    await world.agreed("kill -9 of Qdrant between writes", "Qdrant started again", mended)


async def _during_writes(world: World, qdrant: QdrantProcess) -> None:
    stopping = asyncio.Event()
    writing = [asyncio.create_task(pair.write(stopping)) for pair in world.pairs]
    for _ in range(world.dice.randint(1, 4)):
        await world.next_begin(writing)
    delay = world.dice.uniform(0, _DELAY)
    await asyncio.sleep(delay)
    await asyncio.to_thread(qdrant.kill)
    await asyncio.sleep(world.dice.uniform(0, _AWAY))  # the fault itself
    await asyncio.to_thread(qdrant.start)
    mended = time.monotonic()
    stopping.set()
    await asyncio.gather(*writing)
    await world.ready()
    await world.agreed(f"kill -9 of Qdrant {delay * 1000:.0f} ms after a write began", "Qdrant started again", mended)


async def _older_state(world: World, qdrant: QdrantProcess) -> None:
    """Acknowledged texts are gone from the only place that had them: told as missing, found, and taken from anyone."""
    pair = world.pairs[0]
    await asyncio.to_thread(qdrant.stop)
    await asyncio.to_thread(qdrant.keep)
    await asyncio.to_thread(qdrant.start)
    await world.ready()
    before = len(pair.deeds)
    if pair.awaits_vote:  # its point goes back to what it said before the vote
        await (await pair.begin("castVote", approve=False)).run()
    await (await pair.begin("createThread")).run()
    for verb in ("postMessage", "submitMessage"):
        await (await pair.begin(verb)).run()
    await world.check()
    written = [deed for deed in pair.deeds[before:] if deed.content_hash and deed.body]
    await asyncio.to_thread(qdrant.kill)
    await asyncio.to_thread(qdrant.put_back)
    await asyncio.to_thread(qdrant.start)
    await world.ready()
    for deed in written:
        await look_meanwhile(world, deed, "MISSING")
    code, out, err = await world.verify("--repair")
    assert code == 1, (code, out, err)
    assert all(deed.content_hash in out for deed in written), out
    lost = await without_bytes(world)
    assert lost == [deed for deed in pair.deeds[before:] if deed.body], lost
    await supply(world, lost)
    mended = time.monotonic()
    for each in world.pairs:
        each.checked = 0
    await world.agreed(f"Qdrant back in an older state, {len(lost)} texts gone", "restoreContent by anyone", mended)
    assert not await without_bytes(world)
    code, out, err = await world.verify()
    assert code == 0, (code, out, err)
