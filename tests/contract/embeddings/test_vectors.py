"""The embedder gives the published model's vectors, in the order asked, however its callers come together.

reference.json was made by sentence-transformers with torch, neither of which this project uses.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from chorale.domain.content import Embedding
from datasources.embeddings import FastEmbedder

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text("utf-8"))["vectors"]


def cosine(one: Embedding, other: Embedding | list[float]) -> float:
    a, b = np.asarray(one.dense), np.asarray(other.dense if isinstance(other, Embedding) else other)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


async def test_vectors_equal_the_reference(embedder: FastEmbedder) -> None:
    embeddings = await embedder.embed([entry["text"] for entry in REFERENCE])
    for entry, embedding in zip(REFERENCE, embeddings, strict=True):
        assert cosine(embedding, entry["dense"]) >= 0.99999, entry["text"][:40]
        assert np.linalg.norm(embedding.dense) == pytest.approx(1, abs=1e-6)
        query = await embedder.embed_query(entry["text"])
        assert cosine(query, entry["dense"]) >= 0.99999


async def test_related_texts_are_nearer_than_others(embedder: FastEmbedder) -> None:
    query = await embedder.embed_query("How do I get my deposit back?")
    near, far = await embedder.embed(
        ["The stake is refunded to its author after the vote expires.", "The orchestra rehearses on Tuesday evenings."]
    )
    assert cosine(query, near) > cosine(query, far) + 0.1


async def test_texts_are_cut_at_256_tokens(embedder: FastEmbedder) -> None:
    # One token per word, and two for the marks at both ends.
    whole = " ".join(["vote"] * 254)
    fits, longer, shorter = await embedder.embed([whole, whole + " banana" * 50, " ".join(["vote"] * 253) + " banana"])
    assert cosine(fits, longer) >= 0.999999
    assert cosine(fits, shorter) < 0.99999
    assert "/384/256" in embedder.fingerprint and embedder.dimensions == 384


async def test_concurrent_callers_get_their_own_answers_in_order(embedder: FastEmbedder) -> None:
    texts = [f"message {n} " + "about votes " * (n % 7) for n in range(40)]
    alone = [(await embedder.embed([text]))[0] for text in texts]
    bulk_answers, single_answers, queries = await asyncio.gather(
        embedder.embed(texts),
        asyncio.gather(*(embedder.embed([text]) for text in texts)),
        asyncio.gather(*map(embedder.embed_query, texts)),
    )
    for own, bulk, (single,), query in zip(alone, bulk_answers, single_answers, queries, strict=True):
        assert cosine(own, query) >= 0.99999
        assert cosine(own, bulk) >= 0.99999 and cosine(own, single) >= 0.99999
        assert own.sparse_indices == bulk.sparse_indices == single.sparse_indices
    assert await embedder.embed([]) == []


async def test_a_cancelled_caller_does_not_disturb_the_others(embedder: FastEmbedder) -> None:
    given_up = asyncio.create_task(embedder.embed([f"text {n}" for n in range(60)]))
    kept = asyncio.create_task(embedder.embed(["a text that stays", "another one"]))
    await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert len(await kept) == 2
    assert len((await embedder.embed(["afterwards"]))[0].dense) == 384


async def test_sparse_vectors_hold_stems_without_stopwords(embedder: FastEmbedder) -> None:
    stored, other = await embedder.embed(["The voters were voting; a vote is final.", "of and the"])
    query = await embedder.embed_query("voted")
    assert set(query.sparse_indices) <= set(stored.sparse_indices) and query.sparse_values == (1.0,)
    assert stored.sparse_indices == tuple(sorted(stored.sparse_indices))
    assert max(stored.sparse_values) > 1
    assert other.sparse_indices == () and len(other.dense) == 384
