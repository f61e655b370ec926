"""Content for tests: real hashes, small made-up vectors."""

from __future__ import annotations

from hashlib import sha256

from solders.pubkey import Pubkey

from chorale.domain.approval import MessageStatus
from chorale.domain.content import Content, ContentKey, ContentKind, Embedding, Promotion, SearchCriteria, SearchMode
from programs import identity

DIMENSIONS = 8
FINGERPRINT = "test-model@0123456789abcdef/8/256"
LEASE = 1_000


def key(number: int) -> str:
    """A public key."""
    return str(Pubkey(sha256(b"key" + number.to_bytes(8, "little")).digest()))


def thread_id(number: int) -> str:
    """A thread made by `key(number)`."""
    return identity.thread_id(key(number), number)


def message(number: int, *, thread: int = 0, author: int = 0, body: str | None = None) -> Content:
    """A message; everything about it follows from the arguments."""
    text = f"message number {number}" if body is None else body
    salt = sha256(b"salt" + number.to_bytes(8, "little")).hexdigest()
    proof = identity.content_hash(thread_id(thread), key(author), number, identity.body_hash(salt, text))
    return Content(ContentKey(ContentKind.MESSAGE, thread_id(thread), proof), key(author), number, salt, text, stake=7)


def title(thread: int, body: str = "A title") -> Content:
    """A title; equal titles of different threads have the same hash here."""
    salt = sha256(b"title").hexdigest()
    proof = identity.title_hash(salt, body)
    return Content(ContentKey(ContentKind.TITLE, thread_id(thread), proof), key(thread), thread, salt, body)


def embedding(text: str) -> Embedding:
    """A unit vector and one sparse index per word, both from hashes."""
    numbers = [byte - 127.5 for byte in sha256(text.encode()).digest()[:DIMENSIONS]]
    norm = sum(number * number for number in numbers) ** 0.5
    words = sorted({int.from_bytes(sha256(word.encode()).digest()[:4]) for word in text.lower().split()})
    return Embedding(tuple(number / norm for number in numbers), tuple(words), tuple(1.0 for _ in words))


def promotion(
    content: Content,
    sequence: int,
    status: MessageStatus = MessageStatus.PUBLISHED,
    *,
    voters: tuple[str, ...] = (),
    vectors: bool = True,
    submitted_at: int = 500,
) -> Promotion:
    """What the chain says of `content` at `sequence`."""
    vector = embedding(content.body) if vectors else None
    return Promotion(content.key, content.author, status, sequence, submitted_at, 1, voters, vector, FINGERPRINT)


def criteria(
    viewer: str | None = None, threads: tuple[str, ...] = (), mode: SearchMode = SearchMode.SEMANTIC
) -> SearchCriteria:
    """A search without further conditions."""
    return SearchCriteria("text", mode, viewer, threads)
