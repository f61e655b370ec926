"""Staging is insert-only: what stands under a hash keeps its bytes and its state, only its lease grows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentState
from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError
from datasources.qdrant import QdrantContent
from datasources.qdrant.engine import Engine
from tests.contract.content.samples import LEASE, criteria, embedding, key, message, promotion, thread_id, title


async def test_staged_content_is_stored_whole_and_found_by_nobody(store: QdrantContent) -> None:
    content = message(2**64 - 1, body="Zoë said “hi”\n\tand left 🎻")
    stored = await store.stage(content, lease_until=LEASE)
    assert (stored.key, stored.author, stored.nonce, stored.salt) == (
        content.key,
        content.author,
        content.nonce,
        content.salt,
    )
    assert (stored.body, stored.stake, stored.lease_until) == (content.body, 7, LEASE)
    assert (stored.status, stored.sequence, stored.voters, stored.fingerprint) == (MessageStatus.STAGED, 0, (), "")
    assert (await store.fetch([content.key]))[content.key].stored == stored
    found = await store.search(criteria(content.author, (thread_id(0),)), embedding(content.body), 10)
    assert found == []


async def test_staging_again_extends_the_lease_and_nothing_else(store: QdrantContent) -> None:
    content = message(1)
    first = await store.stage(content, lease_until=LEASE)
    assert await store.stage(replace(content, stake=99), lease_until=LEASE + 5) == replace(first, lease_until=LEASE + 5)
    assert (await store.stage(content, lease_until=LEASE - 5)).lease_until == LEASE + 5


async def test_staging_at_the_same_moment_makes_one_point(store: QdrantContent) -> None:
    content = message(1)
    stored = await asyncio.gather(*(store.stage(content, lease_until=LEASE + n) for n in range(12)))
    assert {item.body for item in stored} == {content.body}
    assert (await store.census()).points == 1
    assert (await store.staged())[0].lease_until == LEASE + 11


async def test_staging_leaves_a_promoted_point_as_it_is(store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 4, MessageStatus.DENIED, voters=(key(8),))])
    before = (await store.fetch([content.key]))[content.key].stored
    assert await store.stage(content, lease_until=LEASE + 50) == before
    assert before is not None and before.status is MessageStatus.DENIED


async def test_bytes_that_do_not_give_the_hash_are_refused(store: QdrantContent) -> None:
    content = message(1)
    for wrong in (
        replace(content, body=content.body + " "),
        replace(content, salt="00" * 32),
        replace(content, author=key(5)),
        replace(content, nonce=2),
        replace(content, salt="no hex"),
        replace(content, key=replace(content.key, thread_id=thread_id(3))),
    ):
        with pytest.raises(InvalidInputError):
            await store.stage(wrong, lease_until=LEASE)
    assert (await store.census()).points == 0


async def test_equal_titles_of_two_threads_are_two_points(store: QdrantContent) -> None:
    one, other = title(1), title(2)
    assert one.key.hash == other.key.hash
    await store.stage(one, lease_until=LEASE)
    assert (await store.fetch([other.key]))[other.key].state is ContentState.MISSING
    await store.stage(other, lease_until=LEASE)
    answers = await store.fetch([one.key, other.key])
    assert [answers[item.key].stored.author for item in (one, other)] == [key(1), key(2)]  # type: ignore[union-attr]


async def test_a_damaged_point_is_quarantined_and_never_overwritten(engine: Engine, store: QdrantContent) -> None:
    content, foreign = message(1), message(2)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 1)])
    id, collection = store._identity.point_id(content.key), store._identity.name
    for damage in ({"body": "Something else"}, {"author": key(9)}, {"nonce": "x"}, {"body": None}, {"hash": "00" * 32}):
        await engine.call(lambda damage=damage: engine.client.set_payload(collection, damage, [id]))  # type: ignore[misc]
        assert (await store.fetch([content.key]))[content.key].state is ContentState.QUARANTINED
        assert await store.search(criteria(), embedding(content.body), 10) == []
        with pytest.raises(AuthorityUnavailableError):
            await store.stage(content, lease_until=LEASE)
        assert (await store.fetch([content.key]))[content.key].state is ContentState.QUARANTINED
        whole = {"body": content.body, "author": content.author, "nonce": str(content.nonce), "hash": content.key.hash}
        await engine.call(lambda whole=whole: engine.client.set_payload(collection, whole, [id]))  # type: ignore[misc]
        assert (await store.fetch([content.key]))[content.key].state is ContentState.AVAILABLE

    # Another message's whole content under this id: its bytes are right, for another hash.
    await store.stage(foreign, lease_until=LEASE)
    other = (await engine.call(lambda: store._points.read([store._identity.point_id(foreign.key)]))).popitem()[1]
    await engine.call(lambda: engine.client.overwrite_payload(collection, dict(other), [id]))
    assert (await store.fetch([content.key]))[content.key].state is ContentState.QUARANTINED


async def test_only_expired_staged_content_is_collected(store: QdrantContent) -> None:
    expired, leased, promoted, unasked = (message(n) for n in range(4))
    for content, lease in ((expired, LEASE), (leased, LEASE + 1), (promoted, LEASE), (unasked, LEASE)):
        await store.stage(content, lease_until=lease)
    await store.promote([promotion(promoted, 1, MessageStatus.PENDING)])
    await store.collect_staged([expired.key, leased.key, promoted.key, message(77).key], LEASE)
    await store.collect_staged([], LEASE)
    answers = await store.fetch([item.key for item in (expired, leased, promoted, unasked)])
    assert [answer.state for answer in answers.values()] == [ContentState.MISSING, *[ContentState.AVAILABLE] * 3]
    assert {stored.key for stored in await store.staged()} == {leased.key, unasked.key}
    again = await store.stage(expired, lease_until=LEASE)
    assert again.body == expired.body
