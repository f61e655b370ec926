"""What Qdrant owns: bytes and vectors of messages and titles, and the limits on them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from chorale.domain.approval import MessageStatus

MAX_BODY_BYTES = 16 * 1024
MAX_TITLE_BYTES = 256


class ContentKind(StrEnum):
    """Messages and thread titles are both content."""

    MESSAGE = "message"
    TITLE = "title"


class ContentState(StrEnum):
    """Whether the bytes can be served. QUARANTINED: they no longer match their hash."""

    AVAILABLE = "AVAILABLE"
    MISSING = "MISSING"
    QUARANTINED = "QUARANTINED"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class ContentKey:
    """Names one point: of a message by its content_hash alone, of a title by (thread_id, title_hash)."""

    kind: ContentKind
    thread_id: str
    hash: str


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes on their way into the store. `author` is the thread's creator for a title; `salt` 64 hex digits."""

    key: ContentKey
    author: str
    nonce: int
    salt: str
    body: str
    stake: int = 0


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A point as read back; `body` is exactly what is stored and has been checked against the hash by the store.

    `sequence` is 0 while STAGED. `fingerprint` names the model behind the vectors, "" where there are none.
    `restored_at` tells when missing or corrupt bytes were supplied again (unix s, 0 where they never were).
    """

    key: ContentKey
    author: str
    nonce: int
    salt: str
    body: str
    stake: int
    status: MessageStatus
    sequence: int
    submitted_at: int
    submitted_sequence: int
    voters: tuple[str, ...]
    lease_until: int
    fingerprint: str
    restored_at: int = 0


@dataclass(frozen=True, slots=True)
class FetchedContent:
    """Answer for one key: AVAILABLE carries `stored`; MISSING and QUARANTINED carry nothing."""

    state: ContentState
    stored: StoredContent | None = None


@dataclass(frozen=True, slots=True)
class PointName:
    """What a point says of itself, without its bytes: `sequence` is 0 while `staged`, `lease_until` unix s."""

    key: ContentKey
    staged: bool
    sequence: int
    lease_until: int


@dataclass(frozen=True, slots=True)
class Embedding:
    """Dense vector (L2-normalised) and BM25 sparse vector of one text."""

    dense: tuple[float, ...]
    sparse_indices: tuple[int, ...]
    sparse_values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """What the chain says of a point now. Written only where the stored sequence is lower than `sequence`."""

    key: ContentKey
    author: str
    status: MessageStatus
    sequence: int
    submitted_at: int
    submitted_sequence: int
    voters: tuple[str, ...]
    embedding: Embedding | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a finalized read says of a point that claims something else, written only while the point still claims
    `found_sequence` and `found_status`. `promotion` is None where nothing is on chain: the point is STAGED again, with
    a lease until `lease_until` (unix s). A message's promotion brings its embedding."""

    key: ContentKey
    found_sequence: int
    found_status: MessageStatus
    promotion: Promotion | None
    lease_until: int = 0


class SearchMode(StrEnum):
    """HYBRID fuses SEMANTIC (dense vectors) and TEXT (BM25) by reciprocal rank."""

    HYBRID = "HYBRID"
    SEMANTIC = "SEMANTIC"
    TEXT = "TEXT"


@dataclass(frozen=True, slots=True)
class SearchCriteria:
    """One search as the store runs it. `viewer_threads` are the ids of the threads that the viewer co-authors."""

    text: str
    mode: SearchMode
    viewer: str | None
    viewer_threads: tuple[str, ...]
    thread_id: str | None = None
    author: str | None = None
    submitted_after: int | None = None
    submitted_before: int | None = None
    statuses: tuple[MessageStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One fused hit, best first; `content` is the point itself so that no second call is needed."""

    content: StoredContent
    score: float


@dataclass(frozen=True, slots=True)
class ContentCensus:
    """How many points stand in the store: all, and those carrying a chain state with vectors of this model."""

    points: int
    promoted: int
    staged: int


def normalise(text: str) -> str:
    """NFC, the form in which a client sends and hashes text."""
    return unicodedata.normalize("NFC", text)


def body_problem(body: str, limit: int = MAX_BODY_BYTES) -> str | None:
    """Why `body` cannot be stored, in a sentence that names the cure; None where it can."""
    try:
        size = len(body.encode("utf-8"))
    except UnicodeEncodeError:
        return "The text holds lone surrogates, which are not UTF-8. Send well-formed text."
    if not body.strip():
        return "The text is empty. Write at least one visible character."
    if size > limit:
        return f"The text has {size} bytes of UTF-8, the limit is {limit}. Shorten or split it."
    if "\x00" in body:
        return "The text holds a NUL character. Remove it."
    return None
