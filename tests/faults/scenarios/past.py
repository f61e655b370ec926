"""Written past the server: a wallet through the RPC alone, while the server is up, down, or cut off from the chain."""

from __future__ import annotations

import asyncio
import time
from base64 import b64decode
from contextlib import suppress

from tests import operations
from tests.faults.lines import Lines, proxied
from tests.faults.outsiders import Outsider, an_outsider
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, open_world
from tests.faults.writers import UnansweredError

_EVERYTHING = "thread created, 2 posts, a submission and its vote"


async def run(options: Options, report: ScenarioReport) -> None:
    """The same writes in each state of the server; bytes are missing, or were staged before the transaction."""
    armed = options.folder / report.name / "armed"
    armed.parent.mkdir(parents=True)
    with proxied(options, report.name) as lines:
        async with open_world(
            options,
            report,
            cluster=lines.through,
            direct=lines.direct,
            launcher=("-m", "tests.faults.doomed", "send:before"),
            CHORALE_TEST_ARMED=str(armed),
            **lines.environ,
        ) as world:
            await world.settle_down()
            ada, ben = await an_outsider(lines.direct), await an_outsider(lines.direct)
            await _while_up(world, ada, ben)
            await _while_cut_off(world, lines, ada, ben)
            await _while_down(world, ada, ben)
            armed.touch()
            await _staged_and_sent_elsewhere(world)
            armed.unlink()
            events = await ada.check(world.server, world.chain)
            report.note(f"{events} events of threads that no mutation has touched, once and in order")


async def _write(ada: Outsider, ben: Outsider) -> str:
    thread_id = await ada.create_thread()
    await ada.post(thread_id)
    submitted = await ben.submit(thread_id)
    await ada.vote(submitted, approve=True)
    await ada.post(thread_id)
    return thread_id


async def _while_up(world: World, ada: Outsider, ben: Outsider) -> None:
    thread_id = await _write(ada, ben)
    written = time.monotonic()
    await _derived(world, ada, f"{_EVERYTHING} by RPC, server up", "the watcher", written)
    async with world.server.subscribed(operations.EVENTS, {"threadId": thread_id}) as live:
        before = len(await world.chain.events(thread_id))
        for _ in range(5):
            await ada.post(thread_id)
        expected = (await world.chain.events(thread_id))[before:]
        seen = [(await live.next())["threadEvents"] for _ in expected]
    assert [(event["__typename"], event["version"], event["signature"]) for event in seen] == expected, seen


async def _while_cut_off(world: World, lines: Lines, ada: Outsider, ben: Outsider) -> None:
    for proxy in (lines.rpc, lines.pubsub):
        await asyncio.to_thread(proxy.refuse)
    try:
        await _write(ada, ben)
    finally:
        for proxy in (lines.rpc, lines.pubsub):
            await asyncio.to_thread(proxy.pass_all)
    mended = time.monotonic()
    await _derived(world, ada, f"{_EVERYTHING} by RPC, server cut off", "mended, replayed", mended)


async def _while_down(world: World, ada: Outsider, ben: Outsider) -> None:
    await asyncio.to_thread(world.server.kill)
    await _write(ada, ben)
    started, ready = await world.start()
    await _derived(world, ada, f"{_EVERYTHING} by RPC, server down", "restart, replayed", ready, started)


async def _staged_and_sent_elsewhere(world: World) -> None:
    """The server dies with the bytes staged; the wallet sends its transaction to the chain itself."""
    deed = await world.pairs[0].begin("postMessage", key=True)
    with suppress(UnansweredError):
        await deed.run()
    await asyncio.to_thread(world.server.wait)
    await world.chain.chain.send_raw(b64decode(deed.signed["signedTransaction"]))
    world.server.launcher = ("-m", "chorale")
    started, ready = await world.start()

    async def available() -> bool:
        asked = {"contentHash": deed.content_hash}
        found = (await world.server.data_of(operations.READ_MESSAGE, asked))["message"]
        return found is not None and found["contentState"] == "AVAILABLE" and found["body"] == deed.body

    await world.agreed(
        "kill -9 with bytes staged, then sent by RPC", "restart, promoted", ready, started, until=available
    )


async def _derived(
    world: World, ada: Outsider, injected: str, healed: str, mended: float, started: float | None = None
) -> None:
    await world.agreed(injected, healed, mended, started, until=lambda: ada.is_derived(world.server, world.chain))
    await ada.check(world.server, world.chain)
    for written in ada.written:
        asked = {"contentHash": written.content_hash}
        message = (await world.server.data_of(operations.READ_MESSAGE, asked))["message"]
        assert (message["status"], message["contentState"], message["body"]) == ("PUBLISHED", "MISSING", None), message
