"""Whatever is derived can be deleted: after the next start the same questions have the same answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from chorale.domain.cursors import event_cursor
from chorale.domain.events import EventPosition
from datasources.qdrant.search import DENSE, SPARSE, SPARSE_PRIVATE
from tests import operations
from tests.stack import Actor, RunningServer, running_stack

_PROMOTED = ["status", "sequence", "submitted_at", "submitted_sequence", "voters", "fingerprint"]
_OF_ONE_PLACE = ("cursor", "eventCursor", "startCursor", "endCursor", "slot")

_MESSAGE = f"""{operations.MESSAGE} nonce salt submittedAt submittedVersion expiresAt decidedAt viewerCanVote
  escrowRemaining {{ amount }} proof {{ root leaf leafIndex path account slot }}"""
_THREADS = f"""query Threads {{ threads(first: 10) {{ pageInfo {{ hasNextPage endCursor }} nodes {{
  {operations.THREAD} lastActivityAt pendingCount tokenBalance {{ amount }} stakesTotal {{ amount }}
  messages(last: 100) {{ nodes {{ {_MESSAGE} }} }} }} }} }}"""
_PAGE = f"""query Page($threadId: Hash!, $after: Cursor) {{ thread(threadId: $threadId) {{
  messages(first: 2, after: $after) {{ nodes {{ {_MESSAGE} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
_WAITING = f"""query Waiting($wallet: Pubkey!) {{
  pendingApprovals(voter: $wallet) {{ nodes {{ {_MESSAGE} }} }}
  claimableEscrow(wallet: $wallet) {{ nodes {{ {_MESSAGE} }} }}
  user(address: $wallet) {{ threads {{ nodes {{ threadId }} }} messages {{ nodes {{ contentHash }} }} }} }}"""
_SEARCH = f"""query Find($query: String!, $mode: SearchMode!) {{ search(query: $query, mode: $mode, first: 20) {{
  edges {{ score highlights {{ text ranges {{ start end }} }} node {{ {operations.MESSAGE} }} }} }} }}"""
_WORDS = ("bridges of stone", "watches", "how do people get across water", "ein Steg")


@dataclass(frozen=True)
class Story:
    """Two threads with a message of every kind, and those who may see them differently.

    No two texts score the same for a question: in which order such hits are fused is the engine's affair.
    """

    thread_ids: tuple[str, ...]
    people: tuple[Actor | None, ...]
    co_author: Actor


@pytest.mark.faults
async def test_the_same_answers(tmp_path: Path, models: Path) -> None:
    """Without its index, and then without anything that promotion wrote into the collection."""
    with running_stack(tmp_path / "data", models) as server:
        story = await _tell(server)
        before = await _ask_everything(server, story)
        assert sum(map(bool, before.scores.values())) > 50

        server.stop()
        shutil.rmtree(server.data / "index")
        server.start()
        await _compare(server, story, before)

        server.stop()
        assert _forget_promotions(server.data / "qdrant") == 10
        server.start()
        await _compare(server, story, before)

        server.stop()
        shutil.rmtree(server.data / "index")
        assert _forget_promotions(server.data / "qdrant") == 10
        server.start()
        await _compare(server, story, before)


@dataclass(frozen=True)
class Answers:
    """Answers by question, without what only names a place in a list; scores apart, since they are not exact."""

    plain: dict[str, Any]
    scores: dict[str, list[float]]


async def _tell(server: RunningServer) -> Story:
    ana, ben, cara, dan = [await server.actor() for _ in range(4)]
    first = await ana.create_thread("Bridges and rivers")
    second = await ben.create_thread("Ferries")
    await ana.act("postMessage", threadId=first, body="Rivers carry stones to the sea, a bridge carries people.")
    await ana.act("postMessage", threadId=first, body="Ein Steg 🌉 über den Bach braucht keinen Pfeiler.")
    await ben.act(
        "postMessage", threadId=second, body="The ferry is a bridge that moves, and no stone is in it anywhere at all."
    )
    approved = await ben.act("submitMessage", threadId=first, body="A bridge may hang from cables.", stake="1000000")
    await ana.act("castVote", contentHash=approved["message"]["contentHash"], approve=True)
    denied = await cara.act("submitMessage", threadId=first, body="Buy cheap watches here.", stake="1000001")
    split = await cara.act("submitMessage", threadId=first, body="Bridges, and watches as well.", stake="1000000")
    for actor, approve in ((ana, False), (ben, True)):
        await actor.act("castVote", contentHash=denied["message"]["contentHash"], approve=False)
        await actor.act("castVote", contentHash=split["message"]["contentHash"], approve=approve)
    pending = await dan.act("submitMessage", threadId=first, body="Arch bridges of stone last.", stake="2000000")
    await ana.act("castVote", contentHash=pending["message"]["contentHash"], approve=True)
    await dan.act("submitMessage", threadId=second, body="I would rather swim across the water.", stake="2000000")
    return Story((first, second), (None, ana, ben, cara, dan), ana)


async def _ask_everything(server: RunningServer, story: Story) -> Answers:
    answers = Answers({}, {})
    for number, viewer in enumerate(story.people):
        for name, answer in [item async for item in _questions(server, story, viewer)]:
            answers.plain[f"{name} as {number}"] = _plain(answer)
            if "search" in answer:
                answers.scores[f"{name} as {number}"] = [edge["score"] for edge in answer["search"]["edges"]]
    for thread_id in story.thread_ids:
        viewer = story.people[1 + story.thread_ids.index(thread_id)]
        assert viewer is not None
        answers.plain[f"events of {thread_id}"] = await _history(viewer, thread_id)
    return answers


async def _questions(server: RunningServer, story: Story, viewer: Actor | None) -> Any:
    token = None if viewer is None else viewer.token
    yield "threads", await server.data_of(_THREADS, {}, token)
    for thread_id in story.thread_ids:
        after, more, pages = None, True, 0
        while more:
            page = await server.data_of(_PAGE, {"threadId": thread_id, "after": after}, token)
            yield f"page {pages} of {thread_id}", page
            info = page["thread"]["messages"]["pageInfo"]
            after, more, pages = info["endCursor"], info["hasNextPage"], pages + 1
    for person in story.people[1:]:
        assert person is not None
        yield f"what waits for {person.address}", await server.data_of(_WAITING, {"wallet": person.address}, token)
    for mode in ("HYBRID", "SEMANTIC", "TEXT"):
        for words in _WORDS:
            yield f"{mode} {words}", await server.data_of(_SEARCH, {"query": words, "mode": mode}, token)


async def _history(viewer: Actor, thread_id: str) -> list[Any]:
    """The thread's events since its creation; without the server's own notes, which no chain keeps."""
    version = (await viewer.ask(operations.READ_THREAD, {"threadId": thread_id}))["thread"]["version"]
    start = event_cursor(EventPosition("another", 0, thread_id, 0, 0))
    seen: list[Any] = []
    async with viewer.subscribed(operations.EVENTS, {"threadId": thread_id, "after": start}) as events:
        while not seen or seen[-1]["version"] < version:
            event = (await events.next())["threadEvents"]
            if event["__typename"] != "UpdateVerified":
                seen.append(_plain(event))
    return seen


async def _compare(server: RunningServer, story: Story, before: Answers) -> None:
    now = await _ask_everything(server, story)
    for name, answer in before.plain.items():
        assert now.plain[name] == answer, name
    for name, scores in before.scores.items():
        assert now.scores[name] == pytest.approx(scores, abs=1e-4), name


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = (*_OF_ONE_PLACE, "score")
        return {name: _plain(each) for name, each in value.items() if name not in dropped}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _forget_promotions(folder: Path) -> int:
    """Delete all that promotion wrote; what staging wrote stays: bytes, salt, author, nonce, stake and identity."""
    client = QdrantClient(path=str(folder))
    try:
        [collection] = client.get_collections().collections
        ids = [point.id for point in _points(client, collection.name)]
        client.delete_payload(collection.name, _PROMOTED, points=ids)
        client.delete_vectors(collection.name, [DENSE, SPARSE, SPARSE_PRIVATE], points=ids)
        for point in _points(client, collection.name):
            assert point.payload is not None
            assert not set(_PROMOTED) & set(point.payload)
            assert not point.vector
        return len(ids)
    finally:
        client.close()


def _points(client: QdrantClient, name: str) -> Iterator[models.Record]:
    found, rest = client.scroll(name, limit=1000, with_payload=True, with_vectors=True)
    assert rest is None
    yield from found
