"""Killed while it repairs: in the middle of `restoreContent` and of corrections; what was begun is finished by asking
again, or by itself, and done once."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from solders.keypair import Keypair

from tests.faults.harms import HARMS, Harm
from tests.faults.promises import events_of
from tests.faults.qdrant import Points, embedded_points, served_points
from tests.faults.report import ScenarioReport
from tests.faults.supply import is_whole, look_meanwhile, restore
from tests.faults.world import NOT_JUDGED, Options, World, open_world
from tests.faults.writers import Deed
from tests.stack import Actor, Json

_VERIFY = "mutation Verify { verifyBoundaries(repair: true, wait: true) { finished boundaries { problem } } }"
_WHOLE = ("-m", "chorale")


@dataclass(frozen=True)
class Cut:
    """What was damaged, where the repair is cut off, and who repairs: "restoreContent", "chorale verify",
    "verifyBoundaries" or "samples", which come again by themselves."""

    harm: str
    point: str
    healer: str = "restoreContent"


CUTS = (
    Cut("point deleted", "restore:before"),
    Cut("point deleted", "restore:inside"),
    Cut("point of a pending deleted", "restore:after"),
    Cut("bytes altered", "restore:after"),
    Cut("bytes of a pending altered", "restore:before"),
    Cut("title altered", "restore:after"),
    Cut("point deleted", "promote:before"),
    Cut("bytes altered", "promote:after"),
    Cut("point deleted", "append:before"),
    Cut("bytes altered", "append:inside"),
    Cut("point deleted", "append:after"),
    Cut("row altered", "correct:before", "chorale verify"),
    Cut("row altered", "correct:inside", "verifyBoundaries"),
    Cut("row altered", "correct:after", "chorale verify"),
    Cut("row of a pending called published", "correct:inside", "chorale verify"),
    Cut("thread's row put ahead", "correct:after", "verifyBoundaries"),
    Cut("pending called published", "correct point:before", "chorale verify"),
    Cut("version far ahead", "correct point:after", "verifyBoundaries"),
    Cut("version far ahead", "correct point:before", "samples"),
    Cut("row altered", "correct:inside", "samples"),
)
_EMBEDDED = (
    Cut("bytes altered", "restore:inside:2"),
    Cut("version far ahead", "correct point:inside", "chorale verify"),
    Cut("version far ahead", "correct point:inside:2", "chorale verify"),
)
_SHORT = (CUTS[1], CUTS[10], CUTS[12], CUTS[18])


async def run(options: Options, report: ScenarioReport) -> None:
    """Every cut: first with Qdrant behind an address, then in the middle of one write of the embedded engine."""
    armed = options.folder / report.name / "armed"
    armed.parent.mkdir(parents=True)
    with served_points() as points:
        await _cut_all(options, report, armed, points, _SHORT if options.short else CUTS)
    if not options.short:
        await _cut_all(options, report, armed, None, _EMBEDDED)


async def _cut_all(
    options: Options, report: ScenarioReport, armed: Path, points: Points | None, cuts: tuple[Cut, ...]
) -> None:
    """`points` is None where the embedded engine keeps them: those are damaged while the server is down."""
    operator = Keypair()
    content = {} if points is None else {"CHORALE_CONTENT_URL": points.address}
    async with open_world(
        options,
        report,
        launcher=_launcher(cuts[0]),
        folder="data" if points else "embedded",
        CHORALE_TEST_ARMED=str(armed),
        CHORALE_OPERATORS=str(operator.pubkey()),
        CHORALE_VERIFY_EVERY="0",
        **content,
    ) as world:
        world.made_by_server = ("UpdateVerified", "ContentRestored", "Gap")
        pair = await world.settle_down()
        for verb in ("postMessage", "postMessage"):
            await (await pair.begin(verb)).run()
        await world.check()
        for turn, cut in enumerate(cuts):
            following = cuts[turn + 1] if turn + 1 < len(cuts) else Cut("", "", cut.healer)
            await _cut(world, points, operator, cut, following, armed)


async def _cut(world: World, points: Points | None, operator: Keypair, cut: Cut, following: Cut, armed: Path) -> None:
    harm = HARMS[cut.harm]
    deed = world.dice.choice([deed for deed in world.deeds() if deed.verb == harm.verb])
    told_before = await _told(world, deed)
    if cut.healer == "samples":  # which may find it at once
        armed.touch()
    await _harm(world, points, harm, deed)
    if cut.healer != "samples":
        await _look(world, deed)
        armed.touch()
    await _ask_in_vain(world, operator, cut, deed)
    code = await asyncio.to_thread(world.server.wait)
    assert code == -signal.SIGKILL, f"{cut}: the server ended with {code}"
    armed.unlink()
    world.server.launcher = _launcher(following) if following.point else _WHOLE
    world.server.set(CHORALE_VERIFY_EVERY="1" if "samples" in (cut.healer, following.healer) else "0")
    started, ready = await world.start()
    await _look(world, deed)
    await _ask_again(world, operator, cut, deed)
    for each in world.pairs:
        each.checked = 0

    async def healed() -> bool:
        return await is_whole(world, deed) and await asyncio.to_thread(harm.is_gone, world.server.data, points, deed)

    asked = "by itself" if cut.healer == "samples" else f"{cut.healer} again"
    mended = time.monotonic() if cut.healer != "samples" else ready
    await world.agreed(
        f"{cut.harm}, kill -9 at {cut.point} of {cut.healer}", f"restart, {asked}", mended, started, until=healed
    )
    if cut.healer == "restoreContent":
        again = await restore(world, deed)
        assert (again["__typename"], again["restored"]) == ("RestoreContentSuccess", False), again
        assert await _told(world, deed) == told_before + (deed.content_hash is not None), f"{cut}: told not once"


async def _harm(world: World, points: Points | None, harm: Harm, deed: Deed) -> None:
    if points is not None:
        await asyncio.to_thread(harm.do, world.server.data, points, deed)
    else:
        await asyncio.to_thread(world.server.stop)
        with embedded_points(world.server.data) as opened:
            harm.do(world.server.data, opened, deed)
        await world.start()


async def _look(world: World, deed: Deed) -> None:
    if deed.content_hash is not None:
        await look_meanwhile(world, deed)


async def _ask_in_vain(world: World, operator: Keypair, cut: Cut, deed: Deed) -> None:
    """Nobody gets an answer: the server dies over it."""
    match cut.healer:
        case "restoreContent":
            with suppress(httpx.HTTPError):
                answer = await restore(world, deed)
                assert cut.point == "append:after", answer  # it may still have been sent
        case "verifyBoundaries":
            with suppress(httpx.HTTPError):
                answer = await _verified(world, operator)
                raise AssertionError(f"{cut}: {answer}")
        case "chorale verify":
            code, out, err = await world.verify("--repair")
            # The server may have met it before, and died over it: the command finds no server then, and does it itself.
            assert code == (2 if "Through the server" in err else 0), (code, out, err)
            assert "Traceback" not in err, err


async def _ask_again(world: World, operator: Keypair, cut: Cut, deed: Deed) -> None:
    match cut.healer:
        case "restoreContent":
            answer = await restore(world, deed)
            assert answer["__typename"] == "RestoreContentSuccess", answer
        case "verifyBoundaries":
            assert (await _verified(world, operator))["finished"]
        case "chorale verify":
            code, out, err = await world.verify("--repair")
            assert code == 0, (code, out, err)


async def _verified(world: World, operator: Keypair) -> Json:
    """The report of `verifyBoundaries`, asked again where a cluster had not finalized what differs."""
    actor = Actor(world.server, operator)
    await actor.sign_in()
    while True:
        report: Json = (await actor.ask(_VERIFY))["verifyBoundaries"]
        if not any(NOT_JUDGED in (each["problem"] or "") for each in report["boundaries"]):
            return report


async def _told(world: World, deed: Deed) -> int:
    """How often subscribers were told that the bytes of this message are back."""
    if deed.content_hash is None:
        return 0
    seen = await events_of(world.pairs[0].owner, deed.thread_id)
    return sum(
        1
        for event in seen
        if event["__typename"] == "ContentRestored" and event["message"]["contentHash"] == deed.content_hash
    )


def _launcher(cut: Cut) -> tuple[str, ...]:
    return ("-m", "tests.faults.doomed", cut.point)
