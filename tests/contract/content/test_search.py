"""Search finds what the visibility rule allows, no more and no less, in every mode, and what the criteria ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import models

from chorale.domain.approval import MessageStatus, may_see
from chorale.domain.content import Content, SearchCriteria, SearchHit, SearchMode
from datasources.qdrant import CollectionIdentity, QdrantContent, open_content
from datasources.qdrant.engine import Engine
from datasources.qdrant.search import SPARSE_PRIVATE, sparse_vector
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
    thread_id,
    title,
)

WINDOW = 200


@dataclass(frozen=True)
class Placed:
    """A message of the corpus and what the chain says of it (STAGED: nothing)."""

    thread: int
    author: int
    status: MessageStatus
    voters: tuple[int, ...]


placed = st.builds(
    Placed,
    thread=st.integers(0, 2),
    author=st.integers(0, 3),
    status=st.sampled_from(list(MessageStatus)),
    voters=st.lists(st.integers(0, 3), unique=True, max_size=3).map(tuple),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    corpus=st.lists(placed, min_size=4, max_size=10),
    viewer=st.none() | st.integers(0, 4),
    threads=st.sets(st.integers(0, 2)),
    mode=st.sampled_from(list(SearchMode)),
)
async def test_results_are_exactly_what_may_be_seen(
    new_store: NewStore, corpus: list[Placed], viewer: int | None, threads: set[int], mode: SearchMode
) -> None:
    store = new_store()
    contents = [message(n, thread=item.thread, author=item.author) for n, item in enumerate(corpus)]
    for content, item in zip(contents, corpus, strict=True):
        await store.stage(content, lease_until=LEASE)
        if item.status is not MessageStatus.STAGED:
            voters = tuple(key(voter) for voter in item.voters)
            await store.promote([promotion(content, 1, item.status, voters=voters)])
    name = None if viewer is None else key(viewer)
    allowed = {
        content.key
        for content, item in zip(contents, corpus, strict=True)
        if item.status is not MessageStatus.STAGED  # what is not on chain has no vectors yet
        and may_see(
            item.status,
            author=key(item.author),
            voters=[key(voter) for voter in item.voters],
            viewer=name,
            viewer_is_co_author=name is not None and item.thread in threads,
        )
    }
    asked = criteria(name, tuple(thread_id(n) for n in threads) if name else (), mode)
    hits = await store.search(asked, embedding("message number"), WINDOW)
    assert {hit.content.key for hit in hits} == allowed
    assert len(hits) == len(allowed)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def filled(store: QdrantContent) -> list[Content]:
    """Six published messages by two authors in two threads, submitted at 100, 200 … 600."""
    bodies = ["red apple", "green apple", "green pear", "blue plum", "yellow banana", "black cherry"]
    contents = [message(n, thread=n % 2, author=n // 3, body=body) for n, body in enumerate(bodies)]
    for n, content in enumerate(contents):
        await store.stage(content, lease_until=LEASE)
        await store.promote([promotion(content, 1, submitted_at=100 * (n + 1))])
    return contents


async def bodies(store: QdrantContent, asked: SearchCriteria, text: str, limit: int = WINDOW) -> list[str]:
    return [hit.content.body for hit in await store.search(asked, embedding(text), limit)]


async def test_modes_find_by_word_by_meaning_and_by_both(store: QdrantContent) -> None:
    await filled(store)
    assert await bodies(store, criteria(mode=SearchMode.TEXT), "pear") == ["green pear"]
    assert (await bodies(store, criteria(mode=SearchMode.TEXT), "green pear"))[0] == "green pear"
    assert await bodies(store, criteria(mode=SearchMode.TEXT), "unheard") == []
    assert (await bodies(store, criteria(mode=SearchMode.SEMANTIC), "blue plum"))[0] == "blue plum"
    assert len(await bodies(store, criteria(mode=SearchMode.SEMANTIC), "blue plum")) == 6
    hybrid = await bodies(store, criteria(mode=SearchMode.HYBRID), "blue plum")
    assert hybrid[0] == "blue plum" and len(hybrid) == 6


async def test_a_query_without_a_telling_word_has_no_text_hits(store: QdrantContent) -> None:
    await filled(store)
    empty = replace(embedding("red apple"), sparse_indices=(), sparse_values=())
    assert await store.search(criteria(mode=SearchMode.TEXT), empty, 10) == ()
    assert (await store.search(criteria(mode=SearchMode.HYBRID), empty, 10))[0].content.body == "red apple"


async def test_a_message_without_a_telling_word_is_found_by_meaning(store: QdrantContent) -> None:
    content = message(1, body="the of and")
    bare = replace(embedding(content.body), sparse_indices=(), sparse_values=())
    await store.stage(content, lease_until=LEASE)
    await store.promote([replace(promotion(content, 1), embedding=bare)])
    assert await bodies(store, criteria(mode=SearchMode.HYBRID), "the of and") == [content.body]


async def test_criteria_narrow_the_results(store: QdrantContent) -> None:
    await filled(store)
    everything = criteria()
    assert set(await bodies(store, replace(everything, thread_id=thread_id(1)), "x")) == {
        "green apple",
        "blue plum",
        "black cherry",
    }
    assert len(await bodies(store, replace(everything, author=key(1)), "x")) == 3
    between = replace(everything, submitted_after=200, submitted_before=400)
    assert set(await bodies(store, between, "x")) == {"green apple", "green pear"}
    assert await bodies(store, replace(everything, statuses=(MessageStatus.DENIED,)), "x") == []
    assert len(await bodies(store, replace(everything, statuses=(MessageStatus.PUBLISHED,)), "x")) == 6
    assert len(await bodies(store, criteria(mode=SearchMode.HYBRID), "green", limit=2)) == 2
    assert await bodies(store, everything, "x", limit=0) == []


async def test_titles_and_vectors_of_another_model_are_not_found(store: QdrantContent) -> None:
    heading, foreign = title(1), message(1)
    for content in (heading, foreign):
        await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(heading, 1), replace(promotion(foreign, 1), fingerprint="another")])
    assert await bodies(store, criteria(key(0), (thread_id(0), thread_id(1))), "x") == []


async def test_a_message_marked_staged_is_its_authors_alone(engine: Engine, store: QdrantContent) -> None:
    content = message(1, author=2)
    await store.stage(content, lease_until=LEASE)
    await store.promote([promotion(content, 1, MessageStatus.PENDING)])
    id, status = store._identity.point_id(content.key), {"status": MessageStatus.STAGED.value}
    assert await bodies(store, criteria(key(3), (thread_id(0),)), "x") == [content.body]
    await engine.call(lambda: engine.client.set_payload(store._identity.name, status, [id]))
    assert await bodies(store, criteria(key(3), (thread_id(0),)), "x") == []
    assert await bodies(store, criteria(key(2)), "x") == [content.body]


UNPUBLISHED = [status for status in MessageStatus if status not in (MessageStatus.STAGED, MessageStatus.PUBLISHED)]


async def found(store: QdrantContent, asked: SearchCriteria, text: str) -> list[SearchHit]:
    return list(await store.search(asked, embedding(text), WINDOW))


@pytest.mark.parametrize("mode", [SearchMode.TEXT, SearchMode.HYBRID])
@pytest.mark.parametrize("again", [True, False], ids=["vectors at publication", "vectors from before"])
async def test_words_of_unpublished_messages_show_in_nobody_elses_scores(
    store: QdrantContent, mode: SearchMode, again: bool
) -> None:
    await filled(store)
    others = [criteria(mode=mode), criteria(key(9), mode=mode), criteria(key(8), (thread_id(1),), mode)]
    before = [await found(store, asked, "green pear") for asked in others]
    assert all(before)
    secrets = [message(100 + n, thread=0, author=7, body=f"pear secret {n}") for n in range(len(UNPUBLISHED))]
    for content, status in zip(secrets, UNPUBLISHED, strict=True):
        await store.stage(content, lease_until=LEASE)
        await store.promote([promotion(content, 1, status)])
    assert [await found(store, asked, "green pear") for asked in others] == before
    for mine in (criteria(key(7), mode=mode), criteria(key(6), (thread_id(0),), mode)):
        hits = await bodies(store, mine, "green pear")
        assert {content.body for content in secrets} <= set(hits)
        assert len(hits) == len(set(hits))
    secret = secrets[0]
    await store.promote([promotion(secret, 2, vectors=again)])
    for asked in (*others, criteria(key(7), mode=mode)):
        assert secret.body in await bodies(store, asked, "green pear")
    private = await store._engine.call(
        lambda: store._points.vectors([store._identity.point_id(content.key) for content in secrets], SPARSE_PRIVATE)
    )
    assert set(private) == {store._identity.point_id(content.key) for content in secrets[1:]}


async def test_a_message_that_is_published_later_scores_as_if_it_had_been_at_once(new_store: NewStore) -> None:
    scores = []
    for statuses in ([MessageStatus.PUBLISHED], [MessageStatus.PENDING, MessageStatus.PUBLISHED]):
        store, content = new_store(), message(50, body="green fig")
        await filled(store)
        await store.stage(content, lease_until=LEASE)
        for sequence, status in enumerate(statuses, 2 - len(statuses)):
            await store.promote([promotion(content, sequence + 1, status, vectors=status is statuses[0])])
        hits = await found(store, criteria(mode=SearchMode.TEXT), "green fig")
        scores.append([(hit.content.body, hit.score) for hit in hits])
    assert scores[0] == scores[1]
    assert scores[0][0][0] == "green fig"


async def test_a_private_vector_left_on_a_published_message_counts_for_nothing(
    engine: Engine, store: QdrantContent
) -> None:
    contents = await filled(store)
    asked = criteria(key(0), mode=SearchMode.TEXT)
    before = await found(store, asked, "green pear")
    left: dict[str, Any] = {SPARSE_PRIVATE: sparse_vector(embedding("green pear"))}
    point = models.PointVectors(id=store._identity.point_id(contents[2].key), vector=left)
    await engine.call(lambda: engine.client.update_vectors(store._identity.name, [point]))
    assert await found(store, asked, "green pear") == before


async def test_scores_are_the_same_after_a_restart(tmp_path: Path) -> None:
    identity, answers = CollectionIdentity(key(1), key(2), FINGERPRINT, DIMENSIONS), []
    async with open_content("file:", tmp_path, identity) as store:
        await filled(store)
        for number, sequences in ((50, 1), (51, 2)):
            content = message(number, author=7, body=f"green fig {number}")
            await store.stage(content, lease_until=LEASE)
            await store.promote([promotion(content, 1, MessageStatus.PENDING)])
            if sequences == 2:
                await store.promote([promotion(content, 2, vectors=False)])
        answers.append(await found(store, criteria(mode=SearchMode.TEXT), "fig"))
        answers.append(await found(store, criteria(key(7), mode=SearchMode.TEXT), "fig"))
    async with open_content("file:", tmp_path, identity) as store:
        assert await found(store, criteria(mode=SearchMode.TEXT), "fig") == answers[0]
        assert await found(store, criteria(key(7), mode=SearchMode.TEXT), "fig") == answers[1]
