"""What the index keeps of threads and messages, row by row, for comparing with the accounts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptThread:
    """A thread's rows. `co_authors` holds (key, joined_sequence), `leaves` counts those of its tree."""

    thread_id: str
    address: str
    sequence: int
    activity_at: int
    leaves: int
    co_authors: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message's rows as they stand, whatever is written there: `thread_id` is "" where they belong to no thread,
    `status` any text. `sequence` is 0 while STAGED, `votes` holds (voter, approve, claimed), amounts are base units,
    times unix s."""

    content_hash: str
    thread_id: str
    author: str
    status: str
    sequence: int
    submitted_sequence: int
    submitted_at: int
    expires_at: int
    decided_at: int
    share: int
    escrow_remaining: int
    votes: frozenset[tuple[str, bool, bool]]
