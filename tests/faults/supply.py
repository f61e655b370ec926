"""Bytes supplied again by whoever has them, since their hash proves them; and what readers are told meanwhile."""

from __future__ import annotations

from tests import operations
from tests.faults.world import World
from tests.faults.writers import Deed
from tests.stack import Json

FORGED = "These words were never written by their author."
_RESTORE = f"""
mutation Restore($input: RestoreContentInput!) {{
  restoreContent(input: $input) {{ __typename
    ... on RestoreContentSuccess {{ restored thread {{ title }} message {{ {operations.MESSAGE} }} }}
    ... on Problem {{ code explanation }} }}
}}"""


async def restore(world: World, deed: Deed, text: str | None = None) -> Json:
    """What `restoreContent` answers to anyone who supplies `text`, or the right one, for what a deed wrote."""
    named = {"contentHash": deed.content_hash} if deed.content_hash else {"threadId": deed.thread_id}
    given = {**named, "text": deed.body if text is None else text, "salt": deed.signed["salt"]}
    answer: Json = (await world.server.data_of(_RESTORE, {"input": given}))["restoreContent"]
    return answer


async def state(world: World, deed: Deed) -> str:
    """What the author of a deed is told of its bytes; what they are shown is what they wrote, or nothing."""
    if deed.content_hash is None:
        thread = (await world.server.data_of(operations.READ_THREAD, {"threadId": deed.thread_id}))["thread"]
        assert thread["title"] in (None, deed.body), thread
        return "MISSING" if thread["title"] is None else "AVAILABLE"
    own = (await deed.author.ask(operations.READ_MESSAGE, {"contentHash": deed.content_hash}))["message"]
    if own is None:
        return "ABSENT"
    assert own["body"] == (deed.body if own["contentState"] == "AVAILABLE" else None), own
    told: str = own["contentState"]
    return told


async def without_bytes(world: World) -> list[Deed]:
    """Acknowledged deeds whose text is nowhere any more."""
    written = [deed for deed in world.deeds() if deed.status and deed.body]
    return [deed for deed in written if await state(world, deed) != "AVAILABLE"]


async def supply(world: World, deeds: list[Deed]) -> None:
    """Supply again what these deeds wrote, twice: the second time nothing is left to do."""
    for deed in deeds:
        for expected in (True, False):
            answer = await restore(world, deed)
            assert answer["__typename"] == "RestoreContentSuccess", answer
            assert expected or not answer["restored"], answer


async def look_meanwhile(world: World, deed: Deed, told: str = "") -> None:
    """Nobody is shown bytes that do not match, nor what is not published. `told` is the state that readers hear of,
    "" where that is open."""
    asked = {"contentHash": deed.content_hash}
    anyone = (await world.server.data_of(operations.READ_MESSAGE, asked))["message"]
    own = (await deed.author.ask(operations.READ_MESSAGE, asked))["message"]
    for message in (anyone, own):
        assert message is None or message["body"] in (None, deed.body), message
        if told and (message is own or deed.verb == "postMessage"):
            assert (message["contentState"], message["body"]) == (told, None), message
    if deed.verb == "submitMessage":
        assert anyone is None, anyone
    for mode in ("TEXT", "SEMANTIC"):
        for words in (deed.body, FORGED):
            found = (await world.server.data_of(operations.SEARCH, {"query": words, "mode": mode}))["search"]["nodes"]
            hits = [node for node in found if node["contentHash"] == deed.content_hash]
            assert not hits or deed.verb == "postMessage", hits
            assert all(node["body"] != FORGED for node in found), found


async def is_whole(world: World, deed: Deed) -> bool:
    """Whether readers have the bytes, and strangers find them where they are published."""
    if await state(world, deed) != "AVAILABLE":
        return False
    if deed.content_hash is None:
        return True
    own = (await deed.author.ask(operations.READ_MESSAGE, {"contentHash": deed.content_hash}))["message"]
    if own["status"] != "PUBLISHED":
        return True
    found = (await world.server.data_of(operations.SEARCH, {"query": deed.body, "mode": "SEMANTIC"}))["search"]["nodes"]
    return any(node["contentHash"] == deed.content_hash for node in found)
