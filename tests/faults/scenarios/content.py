"""Damaged content: points altered, deleted and put back in time while the server runs, in front of strangers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests import operations
from tests.cli.commands import chorale
from tests.faults.qdrant import Points, running_qdrant
from tests.faults.report import ScenarioReport
from tests.faults.world import Options, World, open_world
from tests.faults.writers import Deed
from tests.stack import Json

RESTORE = f"""
mutation Restore($input: RestoreContentInput!) {{
  restoreContent(input: $input) {{ __typename
    ... on RestoreContentSuccess {{ restored thread {{ title }} message {{ {operations.MESSAGE} }} }}
    ... on Problem {{ code explanation }} }}
}}"""
_FORGED = "These words were never written by their author."
_STAGED = {"status": "STAGED", "sequence": 0, "submitted_at": 0, "submitted_sequence": 0, "voters": []}


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
    Damage("bytes altered", "postMessage", lambda p, id: p.say(id, body=_FORGED), "restoreContent", "QUARANTINED"),
    Damage("point deleted", "postMessage", Points.drop, "restoreContent", "MISSING"),
    Damage("pending called published", "submitMessage", lambda p, id: p.say(id, status="PUBLISHED"), "verify"),
    Damage("published called staged", "postMessage", lambda p, id: p.say(id, **_STAGED), "verify"),
    Damage("bytes of a pending altered", "submitMessage", lambda p, id: p.say(id, body=_FORGED), "restoreContent"),
    Damage("point of a pending deleted", "submitMessage", Points.drop, "restoreContent"),
    Damage("title altered", "createThread", lambda p, id: p.say(id, body=_FORGED), "restoreContent"),
    Damage("version far ahead", "postMessage", lambda p, id: p.say(id, sequence=10**6, status="DENIED"), "verify"),
    Damage("vectors disowned", "postMessage", lambda p, id: p.say(id, fingerprint=""), "verify"),
    Damage("published called staged", "postMessage", lambda p, id: p.say(id, **_STAGED), "samples"),
)
_SHORT = ("bytes altered", "point deleted", "pending called published", "published called staged")


async def run(options: Options, report: ScenarioReport) -> None:
    """Every damage, and what heals it. Samples, which repair by themselves, are taken only for the last."""
    with running_qdrant() as points:
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
        await _look_meanwhile(world, deed, damage)
    if damage.healer == "restoreContent":
        refused = await _restore(world, deed, _FORGED)
        assert refused["__typename"] in ("ContentMismatch", "NotFound"), refused
        done = await _restore(world, deed, deed.body)
        assert done["__typename"] == "RestoreContentSuccess", done
    elif damage.healer == "verify":
        code, out, err = await asyncio.to_thread(chorale, "verify", "--repair", data=world.server.data)
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
        until=lambda: _is_whole(world, deed),
    )


async def _look_meanwhile(world: World, deed: Deed, damage: Damage) -> None:
    """Nobody is shown bytes that do not match, nor what is not published."""
    asked = {"contentHash": deed.content_hash}
    anyone = (await world.server.data_of(operations.READ_MESSAGE, asked))["message"]
    own = (await deed.author.ask(operations.READ_MESSAGE, asked))["message"]
    for message in (anyone, own):
        assert message is None or message["body"] in (None, deed.body), message
        if damage.state:
            assert (message["contentState"], message["body"]) == (damage.state, None), message
    if deed.verb == "submitMessage":
        assert anyone is None, anyone
    for mode in ("TEXT", "SEMANTIC"):
        for words in (deed.body, _FORGED):
            found = (await world.server.data_of(operations.SEARCH, {"query": words, "mode": mode}))["search"]["nodes"]
            hits = [node for node in found if node["contentHash"] == deed.content_hash]
            assert not hits or deed.verb == "postMessage", hits
            assert all(node["body"] != _FORGED for node in found), found


async def _restore(world: World, deed: Deed, text: str) -> Json:
    named = {"contentHash": deed.content_hash} if deed.content_hash else {"threadId": deed.thread_id}
    given = {**named, "text": text, "salt": deed.signed["salt"]}
    answer: Json = (await world.server.data_of(RESTORE, {"input": given}))["restoreContent"]
    return answer


async def _is_whole(world: World, deed: Deed) -> bool:
    """Whether readers have the bytes, and strangers find them where they are published."""
    if deed.verb == "createThread":
        thread = (await world.server.data_of(operations.READ_THREAD, {"threadId": deed.thread_id}))["thread"]
        return bool(thread["title"] == deed.body)
    own = (await deed.author.ask(operations.READ_MESSAGE, {"contentHash": deed.content_hash}))["message"]
    if own is None or (own["contentState"], own["body"]) != ("AVAILABLE", deed.body):
        return False
    if own["status"] != "PUBLISHED":
        return True
    found = (await world.server.data_of(operations.SEARCH, {"query": deed.body, "mode": "SEMANTIC"}))["search"]["nodes"]
    return any(node["contentHash"] == deed.content_hash for node in found)
