"""Damaged content: points altered, deleted and put back in time while the server runs, in front of strangers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.qdrant import Points, served_points
from tests.faults.report import ScenarioReport
from tests.faults.supply import FORGED, is_whole, look_meanwhile, restore
from tests.faults.world import Options, World, open_world

_STAGED = {"status": "STAGED", "sequence": 0, "submitted_at": 0, "submitted_sequence": 0, "voters": []}
_NONSENSE = {"status": "?", "sequence": "many", "submitted_at": 1.5, "submitted_sequence": [], "voters": 7}


@dataclass(frozen=True)
class Damage:
    """`verb` names whose point it is, `state` what a reader is told meanwhile ("" where that is open), `healer` what
    heals it: "restoreContent", "verify" or "samples"."""

    name: str
    verb: str
    harm: Callable[[Points, Any], None]
    healer: str
    state: str = ""


DAMAGES = (
    Damage("bytes altered", "postMessage", lambda p, id: p.say(id, body=FORGED), "restoreContent", "QUARANTINED"),
    Damage("point deleted", "postMessage", Points.drop, "restoreContent", "MISSING"),
    Damage("pending called published", "submitMessage", lambda p, id: p.say(id, status="PUBLISHED"), "verify"),
    Damage("published called staged", "postMessage", lambda p, id: p.say(id, **_STAGED), "verify"),
    Damage("bytes of a pending altered", "submitMessage", lambda p, id: p.say(id, body=FORGED), "restoreContent"),
    Damage("point of a pending deleted", "submitMessage", Points.drop, "restoreContent"),
    Damage("title altered", "createThread", lambda p, id: p.say(id, body=FORGED), "restoreContent"),
    Damage("version far ahead", "postMessage", lambda p, id: p.say(id, sequence=10**6, status="DENIED"), "verify"),
    Damage("facts made nonsense", "postMessage", lambda p, id: p.say(id, **_NONSENSE), "verify"),
    Damage("vectors disowned", "postMessage", lambda p, id: p.say(id, fingerprint=""), "verify"),
    Damage("published called staged", "postMessage", lambda p, id: p.say(id, **_STAGED), "samples"),
)
_SHORT = ("bytes altered", "point deleted", "pending called published", "published called staged")


async def run(options: Options, report: ScenarioReport) -> None:
    """Every damage, and what heals it. Samples, which repair by themselves, are taken only for the last."""
    with served_points() as points:
        settings = {"CHORALE_CONTENT_URL": points.address, "CHORALE_VERIFY_EVERY": "0"}
        async with open_world(options, report, **settings) as world:
            world.made_by_server = ("UpdateVerified", "ContentRestored")
            pair = await world.settle_down()
            for verb in ("postMessage", "postMessage"):
                await (await pair.begin(verb)).run()
            await world.check()
            for damage in DAMAGES:
                if options.short and damage.name not in _SHORT:
                    continue
                if damage.healer == "samples":
                    world.server.set(CHORALE_VERIFY_EVERY="1")
                    await world.restart()
                await _heal(world, points, damage)


async def _heal(world: World, points: Points, damage: Damage) -> None:
    deed = world.dice.choice([deed for deed in world.deeds() if deed.verb == damage.verb])
    title = damage.verb == "createThread"
    assert deed.content_hash or title
    id = await asyncio.to_thread(
        points.title_of if title else points.of, deed.thread_id if title else deed.content_hash
    )
    await asyncio.to_thread(damage.harm, points, id)
    harmed = time.monotonic()
    if not title:
        await look_meanwhile(world, deed, damage.state)
    if damage.healer == "restoreContent":
        refused = await restore(world, deed, FORGED)
        assert refused["__typename"] in ("ContentMismatch", "NotFound"), refused
        done = await restore(world, deed)
        assert done["__typename"] == "RestoreContentSuccess", done
    elif damage.healer == "verify":
        code, out, err = await world.verify("--repair")
        assert code == 0, (out, err)
    healed = {"verify": "chorale verify --repair", "samples": "sampling in the background"}
    # Nothing says when to look again but the samples themselves: theirs is the time from the damage on.
    mended = harmed if damage.healer == "samples" else time.monotonic()
    for pair in world.pairs:
        pair.checked = 0
    await world.agreed(
        f"{damage.name} ({damage.verb})",
        healed.get(damage.healer, damage.healer),
        mended,
        until=lambda: is_whole(world, deed),
    )
