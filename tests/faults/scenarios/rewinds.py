"""Put back in time while the server is down: the index, the sessions, the content, and what Redis held."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, open_world

_PARTS: dict[str, Callable[[Path], list[Path]]] = {
    "index": lambda data: [data / "index"],
    "sessions": lambda data: sorted(data.glob("sessions.sqlite3*")),
}
_GONE = {**_PARTS, "index and sessions": lambda data: [data / "index", *sorted(data.glob("sessions.sqlite3*"))]}


async def run(options: Options, report: ScenarioReport) -> None:
    """An older copy of each is put back, then each is taken away."""
    async with open_world(options, report) as world:
        await world.settle_down()
        for name, parts in _PARTS.items():
            await _put_back(world, name, parts)
        for name, parts in _GONE.items():
            if not options.short:
                await _take_away(world, name, parts)
        if options.redis is not None:
            await _rewind_redis(world)


async def _put_back(world: World, name: str, parts: Callable[[Path], list[Path]]) -> None:
    world.server.stop()
    kept = world.options.folder / world.report.name / f"kept {name}"
    kept.mkdir()
    _copy(parts(world.server.data), kept)
    await world.start()
    await _go_on(world)
    await asyncio.to_thread(world.server.kill)
    _remove(parts(world.server.data))
    _copy(list(kept.iterdir()), world.server.data)
    await _recover(world, f"older copy of {name} put back")


async def _take_away(world: World, name: str, parts: Callable[[Path], list[Path]]) -> None:
    await _go_on(world)
    await asyncio.to_thread(world.server.kill)
    _remove(parts(world.server.data))
    await _recover(world, f"{name} deleted")


async def _rewind_redis(world: World) -> None:
    """Redis comes back with what it held before the last writes: sessions stay, entries are older than their floors."""
    redis = world.options.redis
    assert redis is not None
    await asyncio.to_thread(redis.save)
    await _go_on(world)
    await asyncio.to_thread(redis.kill)
    await asyncio.to_thread(redis.start)
    started, ready = await world.restart()
    await world.agreed("Redis put back in time, server killed", "restart", ready, started)


async def _recover(world: World, injected: str) -> None:
    started, ready = await world.start()
    if "sessions" in injected:
        for pair in world.pairs:
            for actor in (pair.owner, pair.guest):
                await actor.sign_in()
    for pair in world.pairs:
        pair.checked = 0
    await world.agreed(injected, "restart, replayed from the chain", ready, started)


async def _go_on(world: World) -> None:
    """Writes that the older copy knows nothing of: a vote on what it calls pending, and a post."""
    pair = world.pairs[0]
    if pair.awaits_vote:
        await (await pair.begin("castVote", approve=False)).run()
    for verb in ("postMessage", "submitMessage"):
        await (await pair.begin(verb)).run()
    await world.check()


def _copy(paths: list[Path], to: Path) -> None:
    for path in paths:
        if path.is_dir():
            shutil.copytree(path, to / path.name)
        else:
            shutil.copy2(path, to / path.name)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
