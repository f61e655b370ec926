"""History put back or replaced under a running server: what was confirmed has never happened, or all is new."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import httpx

from chorale.domain.cursors import event_position
from tests import operations
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, eventually, open_world
from tests.faults.writers import Deed
from tests.replaceable import ReplaceableChain, replaceable_chain

_THREADS = "{ threads(first: 100) { nodes { threadId } } }"


async def run(options: Options, report: ScenarioReport) -> None:
    """A fork: an older state of the same chain. Then a reset: another chain behind the same address."""
    with replaceable_chain(options.folder / f"{report.name}-chain") as chain:
        running = await asyncio.to_thread(chain.start)
        async with open_world(options, report, cluster=running, CHORALE_VERIFY_EVERY="1") as world:
            world.made_by_server = ("UpdateVerified", "Gap")
            await world.settle_down()
            await world.check()
            await _fork(world, chain)
            await _reset(world, chain)


async def _fork(world: World, chain: ReplaceableChain) -> None:
    """The writes of a moment are undone together with what the chain says of them: they count as never acknowledged."""
    pair = world.pairs[0]
    await asyncio.to_thread(chain.kill)
    chain.keep()
    await asyncio.to_thread(chain.start)
    await world.ready()
    before = len(pair.deeds)
    for verb in ("postMessage", "submitMessage"):
        await (await pair.begin(verb)).run()
    undone = pair.deeds[before:]
    world.public.update(deed.body for deed in undone if deed.status == "PUBLISHED")
    await asyncio.to_thread(chain.kill)
    chain.put_back()
    await asyncio.to_thread(chain.start)
    mended = time.monotonic()
    for deed in undone:
        deed.status = ""
    await world.ready()

    async def forgotten() -> bool:
        return await _is_cut(world, pair.thread_id) and all([await _is_forgotten(world, deed) for deed in undone])

    del pair.deeds[before:]
    pair.checked = 0
    await world.agreed("an older state of the chain put back", "fork noticed, rows replaced", mended, until=forgotten)
    await (await pair.begin("postMessage")).run()


async def _is_cut(world: World, thread_id: str) -> bool:
    """Whether the log of the thread ends where the chain does."""
    account = await world.chain.thread(thread_id)
    with suppress(httpx.HTTPError, AssertionError):
        thread = (await world.server.data_of(operations.READ_THREAD, {"threadId": thread_id}))["thread"]
        assert account is not None
        end = event_position(thread["eventCursor"])
        # A cursor without a position stands for a log that has not come to the version of the account.
        return bool(end.position and thread["version"] == end.sequence == account.sequence)
    return False


async def _is_forgotten(world: World, deed: Deed) -> bool:
    with suppress(httpx.HTTPError, AssertionError):
        asked = {"contentHash": deed.content_hash}
        return (await world.server.data_of(operations.READ_MESSAGE, asked))["message"] is None
    return False


async def _reset(world: World, chain: ReplaceableChain) -> None:
    """Nothing of the old chain is served; a mutation on the new one is verified."""
    world.public.update(deed.body for deed in world.deeds() if deed.status in ("PUBLISHED", "THREAD"))
    await asyncio.to_thread(chain.kill)
    chain.forget()
    await asyncio.to_thread(chain.start)
    mended = time.monotonic()
    world.pairs = []

    async def empty() -> bool:
        with suppress(httpx.HTTPError, AssertionError):
            return not (await world.server.data_of(_THREADS))["threads"]["nodes"]
        return False

    await eventually(empty, "the old chain is served still")
    await world.ready()
    await world.agreed("another chain behind the same address", "reset noticed, opened anew", mended)
    await world.settle_down()
