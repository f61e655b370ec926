"""Promotion is guarded by the sequence: in any order of writes the highest stays, and the bytes never change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import models

from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentCensus, ContentState, StoredContent
from chorale.domain.errors import AuthorityUnavailableError
from datasources.qdrant import CollectionIdentity, QdrantContent, open_content
from datasources.qdrant.engine import Engine
from datasources.qdrant.guards import behind
from datasources.qdrant.points import PointUpdate, _operations
from datasources.qdrant.search import named_vectors
from tests.contract.content.conftest import NewStore
from tests.contract.content.samples import (
    DIMENSIONS,
    FINGERPRINT,
    LEASE,
    criteria,
    embedding,
    key,
    message,
    promotion,
    title,
)

STATUSES = [status for status in MessageStatus if status is not MessageStatus.STAGED]


async def read(store: QdrantContent, number: int = 1) -> StoredContent:
    content = message(number)
    stored = (await store.fetch([content.key]))[content.key].stored
    assert stored is not None
    return stored


async def is_found(store: QdrantContent, number: int = 1) -> bool:
    hits = await store.search(criteria(), embedding(message(number).body), 10)
    return message(number).key in [hit.content.key for hit in hits]


async def test_promotion_writes_state_and_vectors(store: QdrantContent) -> None:
    content = message(1)
    staged = await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 9, MessageStatus.PUBLISHED, voters=(key(3), key(4)), submitted_at=77)])
    assert await read(store) == replace(
        staged,
        status=MessageStatus.PUBLISHED,
        sequence=9,
        submitted_at=77,
        submitted_sequence=1,
        voters=(key(3), key(4)),
        fingerprint=FINGERPRINT,
    )
    assert await is_found(store)
    hits = await store.search(criteria(), embedding(content.body), 10)
    assert hits[0].content == await read(store) and 0.99 < hits[0].score < 1.01


async def test_an_absent_point_stays_absent_beside_others(store: QdrantContent) -> None:
    present, absent = message(1), message(2)
    await store.stage(present, lease_until=LEASE)
    await store.promote([promotion(absent, 3), promotion(present, 3), promotion(absent, 4, vectors=False)])
    await store.promote([])
    assert (await store.fetch([absent.key]))[absent.key].state is ContentState.MISSING
    assert (await read(store)).sequence == 3


async def test_an_older_or_equal_sequence_changes_nothing(store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 5, MessageStatus.PENDING)])
    before = await read(store)
    await store.promote([promotion(content, 5, MessageStatus.DENIED), promotion(content, 4, MessageStatus.SPLIT)])
    await store.promote([promotion(content, 2, MessageStatus.EXPIRED, vectors=False)])
    assert await read(store) == before


async def test_a_promotion_without_vectors_keeps_those_that_are_there(store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 5, MessageStatus.PENDING)])
    await store.promote([promotion(content, 6, MessageStatus.PUBLISHED, vectors=False)])
    assert (await read(store)).fingerprint == FINGERPRINT
    assert await is_found(store)


async def test_vectors_that_are_missing_can_follow_at_the_same_sequence(store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 5, vectors=False)])
    assert (await read(store)).fingerprint == ""
    assert not await is_found(store)
    await store.promote([promotion(content, 5)])
    assert await is_found(store)


async def test_a_crash_between_vectors_and_payload_is_made_good(engine: Engine, store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    vectors = named_vectors(embedding(content.body), MessageStatus.PUBLISHED)
    point = models.PointVectors(id=store._identity.point_id(content.key), vector=vectors)
    await engine.call(lambda: engine.client.update_vectors(store._identity.name, [point]))
    assert not await is_found(store)
    assert await store.census() == ContentCensus(points=1, promoted=0, staged=1)
    await store.promote([promotion(content, 5)])
    assert await is_found(store)


@pytest.mark.parametrize("broken", ["update_vectors", "set_payload"])
async def test_no_half_of_a_promotion_claims_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    identity, content = CollectionIdentity(key(1), key(2), FINGERPRINT, DIMENSIONS), message(1)
    async with open_content("file:", tmp_path, identity) as store:
        staged = await store.stage(content, lease_until=LEASE)
        with monkeypatch.context() as patched:
            patched.setattr(store._engine.client, broken, fail)
            with pytest.raises(AuthorityUnavailableError):
                await store.promote([promotion(content, 5)])
        assert await read(store) == staged and not await is_found(store)
        await store.promote([promotion(content, 5)])
        assert (await read(store)).sequence == 5 and await is_found(store)


def test_a_server_is_sent_vectors_before_the_payload_that_claims_them() -> None:
    steps = list(_operations(PointUpdate("id", behind(5, FINGERPRINT), {}, {"dense": [1.0]}, ("bm25_private",))))
    wanted = [models.UpdateVectorsOperation, models.DeleteVectorsOperation, models.SetPayloadOperation]
    assert [type(step) for step in steps] == wanted


async def test_deleted_chain_state_can_be_written_again(engine: Engine, store: QdrantContent) -> None:
    content = message(1)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 5)])
    before = await read(store)
    derived = ["status", "sequence", "submitted_at", "submitted_sequence", "voters", "fingerprint"]
    id = store._identity.point_id(content.key)
    await engine.call(lambda: engine.client.delete_payload(store._identity.name, derived, [id]))
    assert (await read(store)).status is MessageStatus.STAGED
    assert not await is_found(store)
    assert await store.census() == ContentCensus(points=1, promoted=0, staged=1)
    assert [stored.key for stored in await store.staged()] == [content.key]
    await store.promote([promotion(content, 5)])
    assert await read(store) == before
    assert await is_found(store)


async def test_the_census_tells_complete_points_from_others(store: QdrantContent) -> None:
    staged, bare, complete, heading = message(1), message(2), message(3), title(1)
    for content in (staged, bare, complete, heading):
        await store.stage(content, lease_until=LEASE)
    await store.promote(
        [promotion(bare, 1, vectors=False), promotion(complete, 1), promotion(heading, 1, vectors=False)]
    )
    assert await store.census() == ContentCensus(points=4, promoted=2, staged=1)
    await store.ready()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("stage"), st.integers(1, 50)),
            st.tuples(st.just("promote"), st.integers(1, 6)),
            st.tuples(st.just("promote bare"), st.integers(1, 6)),
        ),
        min_size=1,
        max_size=10,
    ),
    together=st.booleans(),
)
async def test_any_interleaving_ends_at_the_highest_sequence(
    new_store: NewStore, steps: list[tuple[str, int]], together: bool
) -> None:
    store, content = new_store(), message(1)
    # One state per sequence, as on chain.
    states = {n: (STATUSES[n % len(STATUSES)], (key(n),)) for n in range(1, 7)}

    async def run(kind: str, number: int) -> None:
        if kind == "stage":
            stored = await store.stage(content, lease_until=number)
            assert stored.body == content.body
        else:
            status, voters = states[number]
            await store.promote(
                [promotion(content, number, status, voters=voters, vectors=kind == "promote", submitted_at=9)]
            )

    await store.stage(content, lease_until=1)
    if together:
        await asyncio.gather(*(run(*step) for step in steps))
    else:
        for step in steps:
            await run(*step)

    end = await read(store)
    assert (end.body, end.salt, end.author, end.nonce) == (content.body, content.salt, content.author, content.nonce)
    highest = max((number for kind, number in steps if kind != "stage"), default=0)
    assert end.sequence == highest
    if highest:
        assert (end.status, end.voters) == states[highest]
    else:
        assert end.status is MessageStatus.STAGED
        assert end.lease_until == max([1, *(number for _, number in steps)])
