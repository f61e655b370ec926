"""Killed at a named point of a mutation: the client asks again with its idempotency key, and there is one effect."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import httpx

from tests.faults.doomed import place_of
from tests.faults.outsiders import Outsider, an_outsider
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, open_world
from tests.faults.writers import Deed, Pair, UnansweredError

POINTS = (
    "stage:before",
    "stage:after",
    "claim:before",
    "claim:after",
    "record:before",
    "record:after",
    "send:before",
    "send:after",
    "confirm:before",
    "confirm:after",
    "promote:before",
    "promote:after",
    "floor:before",
    "floor:after",
    "apply:before",
    "apply:inside",
    "apply:after",
    "cursor:before",
    "cursor:inside",
    "cursor:after",
    "append:before",
    "append:inside",
    "append:after",
    "record:before:2",
    "record:after:2",
    "promote:before:2",
    "apply:after:2",
)
SHORT = ("stage:after", "claim:after", "send:after", "promote:after", "apply:inside", "cursor:inside", "append:after")
_VERBS = ("submitMessage", "castVote", "postMessage")
_WHOLE = ("-m", "chorale")


async def run(options: Options, report: ScenarioReport) -> None:
    """Every point once, in one kind of mutation after the other. The server that recovers is the next to die."""
    armed = options.folder / report.name / "armed"
    armed.parent.mkdir(parents=True)
    points = SHORT if options.short else POINTS
    async with open_world(options, report, launcher=_launcher(points[0]), CHORALE_TEST_ARMED=str(armed)) as world:
        pair = await world.settle_down()
        outsider = await an_outsider(world.chain.chain)
        for turn, point in enumerate(points):
            deed = await lead_to(point, turn, pair, outsider, armed)
            code = await asyncio.to_thread(world.server.wait)
            assert code == -signal.SIGKILL, f"{point}: the server ended with {code}"
            armed.unlink()
            following = points[turn + 1 : turn + 2]
            world.server.launcher = _launcher(following[0]) if following else _WHOLE
            started, ready = await world.start()
            acknowledged = "acknowledged before" if deed.status else "same key again"
            if not deed.status:
                await deed.run()
            await world.agreed(f"kill -9 at {point} of {deed.verb}", f"restart, {acknowledged}", ready, started)


async def lead_to(point: str, turn: int, pair: Pair, outsider: Outsider, armed: Path) -> Deed:
    """Do what comes by a point once `armed` is there; the last deed of it."""
    for _ in range(_deeds(point)):
        verb = _verb(point, turn, pair)
        deed = await pair.begin(verb, approve=False if verb == "castVote" else None, key=True)
        armed.touch()
        with suppress(UnansweredError):
            await deed.run()
    if point.startswith("cursor"):  # what changes a thread carries the cursor along, so that takes no step
        with suppress(httpx.HTTPError):  # the chain goes down with the server
            await outsider.fail(deed.thread_id, deed.content_hash or "")
    return deed


def _launcher(point: str) -> tuple[str, ...]:
    return ("-m", "tests.faults.doomed", point)


def _deeds(point: str) -> int:
    """How many it takes to come by: each promotes and is committed once, whoever else hears of it."""
    return place_of(point)[2] if point in ("promote:before:2", "apply:after:2") else 1


def _verb(point: str, turn: int, pair: Pair) -> str:
    verb = _VERBS[turn % len(_VERBS)]
    if verb == "castVote" and (point.startswith("stage") or not pair.awaits_vote):
        return "submitMessage"
    return verb
