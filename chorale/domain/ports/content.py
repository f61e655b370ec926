"""What is asked of Qdrant, and of the model whose vectors it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from chorale.domain.content import (
    Content,
    ContentCensus,
    ContentKey,
    ContentState,
    Correction,
    Embedding,
    FetchedContent,
    PointName,
    Promotion,
    SearchCriteria,
    SearchHit,
    StoredContent,
)


class ContentStore(Protocol):
    """Qdrant. Every fetch recomputes the hash of the stored bytes; what does not match is QUARANTINED."""

    async def stage(self, content: Content, *, lease_until: int) -> StoredContent:
        """Insert-only: an existing point keeps state and bytes, only its lease is extended. Returns what is stored."""

    async def promote(self, promotions: Sequence[Promotion]) -> None:
        """Guarded by `sequence < incoming`, never an upsert: points that do not exist stay absent."""

    async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
        """Bodies by id in one call; an answer for every key."""

    async def search(self, criteria: SearchCriteria, query: Embedding, limit: int) -> Sequence[SearchHit]:
        """Best hits first, with the visibility rule in the store's filter. Corrupt points are left out."""

    async def staged(self) -> Sequence[StoredContent]:
        """Every point that is still STAGED (for a rebuild of the index)."""

    async def names(self, after: str | None, limit: int) -> tuple[Sequence[PointName], str | None]:
        """A page of all points, from the place `after` (None: from the beginning), and the next page's place (None:
        none is left). Points that do not say what they are, or something else than their id, are left out."""

    async def staged_by(self, author: str) -> int:
        """How many points of one author are STAGED."""

    async def end_lease(self, key: ContentKey, *, found: int, lease_until: int) -> None:
        """Let the lease of a point that is still STAGED end at `lease_until`, where it would end exactly at `found`."""

    async def restore(self, content: Content, *, lease_until: int, now: int) -> StoredContent:
        """Put proven bytes where there are none, or in place of those that do not match their hash, STAGED; a point
        whose bytes match keeps everything. `restored_at` of what is returned tells whether this did it: it is `now`, or
        later where the point was restored before. Raises InvalidInputError for bytes that do not give the hash."""

    async def quarantine(self, key: ContentKey, *, now: int) -> ContentState:
        """Look again at a point; where its bytes do not match their hash, mark it and take its vectors away, so that
        nothing finds it. Returns what it found."""

    async def census(self) -> ContentCensus:
        """Counts that tell whether derived payload is missing."""

    async def ready(self) -> None:
        """Raises where the store is away."""


class CorrectableContent(ContentStore, Protocol):
    """Qdrant as `chorale.projection.corrections` alone sees it: what lowers or deletes."""

    async def collect_staged(self, keys: Sequence[ContentKey], now: int) -> None:
        """Conditional delete: only what is still STAGED and whose lease has passed."""

    async def correct(self, corrections: Sequence[Correction]) -> None:
        """Write what finalized reads say, each where the point still claims what was found: the only way in which a
        point's sequence falls."""


class Embedder(Protocol):
    """One embedding model with BM25 beside it. Runs in an executor of its own."""

    @property
    def fingerprint(self) -> str:
        """Model, sha256, dimensions and maximum length, as one string."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Embedding]:
        """Document embeddings, batched."""

    async def embed_query(self, text: str) -> Embedding:
        """Query embedding."""
