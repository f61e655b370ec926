"""Mending is a compare-and-set: it takes the place of what was found wrong, and of nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.content import Content, ContentState, Correction, SearchMode, StoredContent
from chorale.domain.errors import InvalidInputError
from datasources.qdrant import QdrantContent
from datasources.qdrant.engine import Engine
from tests.contract.content.samples import FINGERPRINT, LEASE, criteria, embedding, key, message, promotion, title

NOW = 5_000
DAMAGES: list[dict[str, Any]] = [
    {"body": "Something else"},
    {"body": None},
    {"body": 5},
    {"body": ["a", "b"]},
    {"author": key(9)},
    {"nonce": "x"},
    {"hash": "00" * 32},
    {"salt": True},
]


async def damage(engine: Engine, store: QdrantContent, content: Content, payload: dict[str, Any]) -> None:
    """Write past the store."""
    id, name = store._identity.point_id(content.key), store._identity.name
    await engine.call(lambda: engine.client.set_payload(name, payload, [id], wait=True))


async def stored(store: QdrantContent, content: Content) -> StoredContent:
    found = (await store.fetch([content.key]))[content.key].stored
    assert found is not None
    return found


async def found_by_search(store: QdrantContent, content: Content, mode: SearchMode = SearchMode.SEMANTIC) -> bool:
    hits = await store.search(criteria(content.author, mode=mode), embedding(content.body), 10)
    return content.key in [hit.content.key for hit in hits]


@pytest.mark.parametrize("wrong", DAMAGES, ids=str)
async def test_a_corrupt_point_is_marked_loses_its_vectors_and_is_replaced_by_the_right_bytes(
    engine: Engine, store: QdrantContent, wrong: dict[str, Any]
) -> None:
    """Whatever part of it was damaged; until then nothing finds it, and the census still counts it as complete."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    assert await store.quarantine(content.key, now=NOW) is ContentState.AVAILABLE
    await store.promote([promotion(content, 4)])
    await damage(engine, store, content, wrong)
    census = await store.census()
    assert await store.quarantine(content.key, now=NOW) is ContentState.QUARANTINED
    assert await store.quarantine(content.key, now=NOW) is ContentState.QUARANTINED
    assert (await store.fetch([content.key]))[content.key].state is ContentState.QUARANTINED
    id = store._identity.point_id(content.key)
    [record] = await engine.call(
        lambda: engine.client.retrieve(store._identity.name, [id], with_payload=True, with_vectors=True)
    )
    assert not record.vector and record.payload is not None and record.payload["quarantined_at"] == NOW
    assert await store.census() == census
    # Even with right bytes back in place it is found only once it is promoted again, with vectors of these bytes.
    restored = await store.restore(content, lease_until=LEASE, now=NOW)
    assert (restored.body, restored.sequence, restored.status) == (content.body, 0, MessageStatus.STAGED)
    assert restored.restored_at == NOW and not await found_by_search(store, content)
    await store.promote([promotion(content, 4)])
    assert await found_by_search(store, content)
    assert (await stored(store, content)).restored_at == NOW


async def test_missing_bytes_are_inserted_and_right_ones_keep_everything(store: QdrantContent) -> None:
    """Restoring what is there is no restoring, whatever the time."""
    content, other = message(1), message(2)
    assert (await store.restore(content, lease_until=LEASE, now=NOW)).restored_at == NOW
    await store.stage(other, lease_until=LEASE)
    await store.promote([promotion(content, 3), promotion(other, 3, MessageStatus.DENIED)])
    for each in (content, other):
        before = await stored(store, each)
        assert await store.restore(each, lease_until=LEASE + 9, now=NOW + 9) == before
    assert (await stored(store, other)).restored_at == 0


async def test_restoring_twice_in_one_second_is_two_occurrences(engine: Engine, store: QdrantContent) -> None:
    """`restored_at` ascends even where the clock does not."""
    content = message(1)
    times = []
    for _ in range(3):
        times.append((await store.restore(content, lease_until=LEASE, now=NOW)).restored_at)
        await damage(engine, store, content, {"body": "wrong"})
    assert times == [NOW, NOW + 1, NOW + 2]


async def test_many_restore_at_once_and_one_does_it(engine: Engine, store: QdrantContent) -> None:
    """All get the same point back."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await damage(engine, store, content, {"body": "wrong"})
    done = await asyncio.gather(*(store.restore(content, lease_until=LEASE, now=NOW + n) for n in range(8)))
    assert len({each.restored_at for each in done}) == 1


async def test_bytes_that_do_not_give_the_hash_restore_nothing(engine: Engine, store: QdrantContent) -> None:
    content = message(1)
    with pytest.raises(InvalidInputError):
        await store.restore(replace(content, body="other"), lease_until=LEASE, now=NOW)
    assert (await store.fetch([content.key]))[content.key].state is ContentState.MISSING
    await store.stage(content, lease_until=LEASE)
    await damage(engine, store, content, {"body": "wrong"})
    with pytest.raises(InvalidInputError):
        await store.restore(replace(content, nonce=7), lease_until=LEASE, now=NOW)
    assert (await store.fetch([content.key]))[content.key].state is ContentState.QUARANTINED


async def test_quarantine_of_what_is_not_there_or_right_changes_nothing(store: QdrantContent) -> None:
    content = message(1)
    assert await store.quarantine(content.key, now=NOW) is ContentState.MISSING
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 2)])
    before = await stored(store, content)
    assert await store.quarantine(content.key, now=NOW) is ContentState.AVAILABLE
    assert await stored(store, content) == before and await found_by_search(store, content)


async def test_a_point_falls_only_from_exactly_what_was_found(store: QdrantContent) -> None:
    """Another sequence or status than the one that was found keeps everything."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 9, MessageStatus.PUBLISHED)])
    before = await stored(store, content)
    right = promotion(content, 5, MessageStatus.DENIED, voters=(key(3),))
    for sequence, status in ((8, MessageStatus.PUBLISHED), (9, MessageStatus.DENIED), (0, MessageStatus.STAGED)):
        await store.correct([Correction(content.key, sequence, status, right)])
        assert await stored(store, content) == before
    await store.correct([Correction(content.key, 9, MessageStatus.PUBLISHED, right)])
    now = await stored(store, content)
    assert (now.sequence, now.status, now.voters) == (5, MessageStatus.DENIED, (key(3),))
    assert now.fingerprint == FINGERPRINT


async def test_words_that_were_wrongly_public_become_private(store: QdrantContent) -> None:
    """And the other way round: the words of a point follow its status."""
    content = message(1, body="unmistakable")
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 9, MessageStatus.PUBLISHED)])
    words = criteria(mode=SearchMode.TEXT)
    assert await store.search(words, embedding(content.body), 5)
    private = promotion(content, 9, MessageStatus.PENDING)
    await store.correct([Correction(content.key, 9, MessageStatus.PUBLISHED, private)])
    assert await store.search(words, embedding(content.body), 5) == []
    assert await found_by_search(store, content, SearchMode.TEXT)
    public = promotion(content, 9, MessageStatus.PUBLISHED)
    await store.correct([Correction(content.key, 9, MessageStatus.PENDING, public)])
    assert await store.search(words, embedding(content.body), 5)


async def test_a_point_of_nothing_on_chain_is_staged_again(store: QdrantContent) -> None:
    """Nobody finds it, and it is collected when its lease has passed."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 9, MessageStatus.PENDING, voters=(key(3),))])
    await store.correct([Correction(content.key, 9, MessageStatus.PENDING, None, LEASE + 50)])
    now = await stored(store, content)
    assert (now.status, now.sequence, now.voters, now.lease_until) == (MessageStatus.STAGED, 0, (), LEASE + 50)
    assert not await found_by_search(store, content)
    await store.collect_staged([content.key], LEASE + 50)
    assert (await store.fetch([content.key]))[content.key].state is ContentState.MISSING


@pytest.mark.parametrize(
    "wrong", [{"status": "NONSENSE"}, {"sequence": "x"}, {"voters": 5}, {"fingerprint": 7}], ids=str
)
async def test_damaged_facts_are_no_damaged_bytes(engine: Engine, store: QdrantContent, wrong: dict[str, Any]) -> None:
    """The bytes are served, and the facts are written anew from what they read as."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 9, voters=(key(3),))])
    right = await stored(store, content)
    await damage(engine, store, content, wrong)
    read = await stored(store, content)
    assert read.body == content.body and read != right
    await store.correct([Correction(content.key, read.sequence, read.status, promotion(content, 9, voters=(key(3),)))])
    assert await stored(store, content) == right


async def test_a_titles_facts_are_corrected_with_its_author(engine: Engine, store: QdrantContent) -> None:
    content = title(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 1, vectors=False)])
    right = await stored(store, content)
    await damage(engine, store, content, {"author": key(77)})
    assert (await stored(store, content)).author == key(77)
    await store.correct([Correction(content.key, 1, MessageStatus.PUBLISHED, promotion(content, 1, vectors=False))])
    assert await stored(store, content) == right


async def test_only_the_lease_that_was_found_ends_early(store: QdrantContent) -> None:
    """One that was extended meanwhile keeps its end, and so does whatever is on chain."""
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.end_lease(content.key, found=LEASE - 1, lease_until=7)
    assert (await stored(store, content)).lease_until == LEASE
    await store.end_lease(content.key, found=LEASE, lease_until=7)
    assert (await stored(store, content)).lease_until == 7
    await store.promote([promotion(content, 1)])
    await store.end_lease(content.key, found=7, lease_until=3)
    assert (await stored(store, content)).lease_until == 7
