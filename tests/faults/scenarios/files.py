"""Files damaged while the server is down: the index, the sessions, the embedded content; pages, single bits, ends."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.faults import damage
from tests.faults.report import ScenarioReport
from tests.faults.supply import supply, without_bytes
from tests.faults.world import Options, World, eventually, open_world
from tests.faults.writers import Deed

_REFUSED = 2  # exit code of a start that is refused as configured


@dataclass(frozen=True)
class Harm:
    """`part` names whose files `glob` finds in the data directory; `how` is given each of them. `politely` says whether
    the server is stopped before, so that its logs are folded in, and `refused` whether the next start has to be, None
    where chance decides whether anything can still be read. What is `met_later` no start sees: the server opens
    anew when a read meets it, and meanwhile says that it is away."""

    name: str
    part: str
    glob: str
    how: Callable[[Path, random.Random], object]
    politely: bool = False
    refused: bool | None = False
    met_later: bool = False


def _turn_statuses(file: Path, dice: random.Random) -> None:
    assert damage.turn_words(file, b"PUBLISHED", dice)


_INDEX, _WAL, _STORAGE = "index/*.sqlite3", "index/*.sqlite3-wal", "qdrant/collection/*/storage.sqlite"

HARMS = (
    Harm("pages overwritten", "index", _INDEX, lambda f, dice: damage.scramble_pages(f, dice, first=2), politely=True),
    Harm("a row that cannot be read", "content", _STORAGE, lambda f, dice: damage.turn_once(f, b"PointStruct", dice)),
    Harm("pages overwritten", "sessions", "sessions.sqlite3", damage.scramble_pages, politely=True),
    Harm("log cut in the middle", "index", _WAL, lambda f, _: damage.truncate(f)),
    Harm(
        "pages overwritten", "content", _STORAGE, lambda f, dice: damage.scramble_pages(f, dice, 0.2, 2), refused=None
    ),
    Harm("all of it noise", "content", _STORAGE, damage.overwrite, refused=True),
    Harm("log gone", "index", _WAL, lambda f, _: f.unlink()),
    Harm("end lost", "index", _INDEX, lambda f, _: damage.truncate(f), politely=True),
    Harm("a bit in each page turned", "index", _INDEX, damage.flip_bits, politely=True),
    Harm("words turned in its rows", "index", _INDEX, _turn_statuses, politely=True, met_later=True),
    Harm("end lost", "content", _STORAGE, lambda f, _: damage.truncate(f, 0.7), refused=None),
    Harm("a bit in every 20 kB turned", "content", _STORAGE, lambda f, d: damage.flip_bits(f, d, 20_000, start=8192)),
    Harm("table of contents cut", "content", "qdrant/meta.json", lambda f, _: damage.truncate(f)),
    Harm("table of contents gone", "content", "qdrant/meta.json", lambda f, _: f.unlink()),
    Harm("end lost", "sessions", "sessions.sqlite3", lambda f, _: damage.truncate(f), politely=True),
    Harm("log cut in the middle", "sessions", "sessions.sqlite3-wal", lambda f, _: damage.truncate(f)),
)
_SHORT = 3
_HEALED = {
    "index": "set aside, derived again",
    "sessions": "set aside, signed in again",
    "content": "what can be read kept, restoreContent",
}


async def run(options: Options, report: ScenarioReport) -> None:
    """Each in turn, with writes in between."""
    async with open_world(options, report, CHORALE_VERIFY_EVERY="0") as world:
        world.made_by_server = ("UpdateVerified", "ContentRestored")
        await world.settle_down()
        for harm in HARMS[:_SHORT] if options.short else HARMS:
            if harm.part == "sessions" and options.redis is not None:
                report.note(f"left out: {harm.part}, {harm.name} (they are in Redis)")
                continue
            await _damage(world, harm)


async def _damage(world: World, harm: Harm) -> None:
    pair = world.pairs[0]
    if pair.awaits_vote:
        await (await pair.begin("castVote", approve=False)).run()
    for verb in ("postMessage", "submitMessage"):
        await (await pair.begin(verb)).run()
    await world.check()
    await asyncio.to_thread(world.server.stop if harm.politely else world.server.kill)
    files = sorted(world.server.data.glob(harm.glob))
    assert files, f"{harm.part} has no {harm.glob}"
    kept = [(file, file.read_bytes()) for file in files]
    for file in files:
        harm.how(file, world.dice)
    told = len(world.server.log.read_text())
    begun = time.monotonic()
    refused = not await _starts(world, told)
    assert harm.refused in (None, refused), f"{harm}: refused is {refused}"
    if refused:
        for file, content in kept:
            file.write_bytes(content)
        begun, told = time.monotonic(), len(world.server.log.read_text())
        await asyncio.to_thread(world.server.start)
    await world.ready()
    ready = time.monotonic()
    if harm.met_later:
        await eventually(lambda: _answers(world), f"{harm}: reads do not come back")
        await world.ready()
        ready = time.monotonic()
    said = world.server.log.read_text()[told:]
    assert "Traceback" not in said, said
    if harm.part == "sessions":
        for actor in (pair.owner, pair.guest):
            await actor.sign_in()
    lost = await without_bytes(world)
    seen = "set aside" in said or " were kept" in said
    healed = "refused, a copy put back" if refused else _HEALED[harm.part] if seen else "nothing lost, or replayed"
    if lost:
        await _taken_from_anyone(world, harm, lost)
        ready, healed = time.monotonic(), f"{healed} of {len(lost)} texts"
    pair.checked = 0
    await world.agreed(f"{harm.part}: {harm.name}, server down", f"restart, {healed}", ready, begun)


async def _answers(world: World) -> bool:
    """Whether every text is answered for."""
    try:
        await without_bytes(world)
        return True
    except AssertionError as error:
        assert "AUTHORITY_UNAVAILABLE" in str(error), error
        return False


async def _starts(world: World, told: int) -> bool:
    """Whether it does; where it does not, one line names the file and the cure."""
    try:
        await asyncio.to_thread(world.server.start)
        return True
    except AssertionError:
        code = await asyncio.to_thread(world.server.wait)
    said = world.server.log.read_text()[told:]
    assert code == _REFUSED, (code, said)
    assert "Traceback" not in said, said
    last = said.rstrip().splitlines()[-1]
    assert last.startswith("chorale: "), said
    assert "Put back a copy" in last, said
    return False


async def _taken_from_anyone(world: World, harm: Harm, lost: list[Deed]) -> None:
    """Only content can be lost; a verification names what is, and afterwards nothing is wrong."""
    assert harm.part == "content", f"{harm}: {lost}"
    code, out, err = await world.verify("--repair")
    assert code == 1, (code, out, err)
    assert all((deed.content_hash or deed.thread_id) in out for deed in lost), (out, lost)
    await supply(world, lost)
