"""Promoting content: what the chain says of a message, with vectors, or of a title, is written to its point."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKey, ContentKind, Embedding, Promotion, StoredContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import ContentStore, Embedder
from chorale.projection.turns import Turns

_CHUNK = 64
_OFFERED = 256
_PAUSES = (0.1, 0.4, 1.6)  # s between attempts while the store is away


class Promoter:
    """Sees that promotions are written, by whose turn it is, embedding what has no vectors of this model yet. Points
    that are absent stay absent."""

    def __init__(self, content: ContentStore, embedder: Embedder, turns: Turns) -> None:
        self._content = content
        self._embedder = embedder
        self._turns = turns
        self._offered: OrderedDict[ContentKey, asyncio.Future[Embedding]] = OrderedDict()

    def offer(self, key: ContentKey, embedding: asyncio.Future[Embedding]) -> None:
        """Keep an embedding that is computed ahead, done or not, for the promotion to come."""
        self._offered[key] = embedding
        self._offered.move_to_end(key)
        while len(self._offered) > _OFFERED:
            self._offered.popitem(last=False)

    async def promote(self, thread: ThreadAccount, messages: Iterable[MessageAccount], *, title: bool) -> None:
        """Promote a thread's messages, and its title. Raises AuthorityUnavailableError where the store stays away."""
        fingerprint = self._embedder.fingerprint
        wanted = [title_promotion(thread, fingerprint)] if title else []
        remaining = iter([*wanted, *(message_promotion(thread, message, fingerprint) for message in messages)])
        while chunk := list(islice(remaining, _CHUNK)):
            for pause in (*_PAUSES, None):
                try:
                    await self._promote(chunk)
                    break
                except AuthorityUnavailableError:
                    if pause is None:
                        raise
                    await asyncio.sleep(pause)

    async def _promote(self, wanted: Sequence[Promotion]) -> None:
        turn = self._turns.begin()
        while True:
            fetched = await self._content.fetch([promotion.key for promotion in wanted])
            # Bytes that are missing or no longer match their hash hold nothing up: they can be supplied again later.
            stored = {key: answer.stored for key, answer in fetched.items() if answer.stored is not None}
            due = [
                promotion
                for promotion in wanted
                if promotion.key in stored and _is_behind(stored[promotion.key], promotion)
            ]
            if not due or not await turn.is_others():
                break
        bare = [promotion.key for promotion in due if not _has_vectors(stored[promotion.key], promotion)]
        vectors = await self._vectors({key: stored[key].body for key in bare})
        if due:
            await self._content.promote([_with(promotion, vectors.get(promotion.key)) for promotion in due])
        for key in bare:
            self._offered.pop(key, None)

    async def _vectors(self, texts: Mapping[ContentKey, str]) -> dict[ContentKey, Embedding]:
        """Vectors of all texts: those computed ahead, waiting where they are not done, and the others in one batch."""
        ahead = {key: self._offered[key] for key in texts if key in self._offered}
        if ahead:
            await asyncio.wait(ahead.values())
        vectors = {
            key: future.result()
            for key, future in ahead.items()
            if not future.cancelled() and future.exception() is None  # otherwise made here once more
        }
        missing = [key for key in texts if key not in vectors]
        made = await self._embedder.embed([texts[key] for key in missing])
        return vectors | dict(zip(missing, made, strict=True))


def _is_behind(stored: StoredContent, promotion: Promotion) -> bool:
    return stored.sequence < promotion.sequence or not _has_vectors(stored, promotion)


def _has_vectors(stored: StoredContent, promotion: Promotion) -> bool:
    # Titles are read, never searched.
    return promotion.key.kind is ContentKind.TITLE or stored.fingerprint == promotion.fingerprint


def _with(promotion: Promotion, embedding: Embedding | None) -> Promotion:
    return Promotion(
        promotion.key, promotion.author, promotion.status, promotion.sequence, promotion.submitted_at,
        promotion.submitted_sequence, promotion.voters, embedding, promotion.fingerprint,
    )  # fmt: skip


def title_promotion(thread: ThreadAccount, fingerprint: str) -> Promotion:
    """What the chain says of a thread's title, without vectors."""
    # A title never changes and everyone may read it: the thread's first sequence is its only one.
    key = ContentKey(ContentKind.TITLE, thread.thread_id, thread.title_hash)
    return Promotion(key, thread.creator, MessageStatus.PUBLISHED, 1, thread.created_at, 1, (), None, fingerprint)


def message_promotion(thread: ThreadAccount, message: MessageAccount, fingerprint: str) -> Promotion:
    """What the chain says of a message, without vectors."""
    return Promotion(
        ContentKey(ContentKind.MESSAGE, thread.thread_id, message.content_hash),
        message.author,
        message.status,
        message.sequence,
        message.submitted_at,
        message.submitted_sequence,
        tuple(vote.voter for vote in message.votes),
        None,
        fingerprint,
    )
