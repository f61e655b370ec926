"""What Solana owns: the ownership accounts, decoded. Keys are base58, hashes hex, amounts base units, times unix s."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from chorale.domain.approval import MessageStatus

NO_LEAF = 2**32 - 1


class StatusByte(IntEnum):
    """Status of a message as the program writes it; STAGED has no account and so no byte."""

    PENDING = 1
    PUBLISHED = 2
    DENIED = 3
    SPLIT = 4
    EXPIRED = 5
    CANCELLED = 6

    @property
    def status(self) -> MessageStatus:
        """The same status as a domain value."""
        return MessageStatus[self.name]


@dataclass(frozen=True, slots=True)
class CoAuthor:
    """A present co-author and the thread's sequence at which they joined."""

    key: str
    joined_sequence: int


@dataclass(frozen=True, slots=True)
class Vote:
    """One recorded vote; `claimed` tells whether a denier has taken their share."""

    voter: str
    approve: bool
    claimed: bool
    cast_at: int


@dataclass(frozen=True, slots=True)
class ProtocolAccount:
    """The one `Protocol` account."""

    address: str
    admin: str
    mint: str
    minimum_stake: int
    approval_window: int
    sequence: int
    allow_freezable: bool
    treasury_bump: int


@dataclass(frozen=True, slots=True)
class ThreadAccount:
    """A `Thread` account. `sequence` is the thread's version."""

    address: str
    thread_id: str
    creator: str
    nonce: int
    created_at: int
    title_hash: str
    token_balance: int
    stakes_total: int
    escrow_total: int
    treasury_due: int
    message_count: int
    pending_count: int
    published_count: int
    sequence: int
    activity_at: int
    activity_sequence: int
    content_root: str
    frontier: tuple[str, ...]
    co_authors: tuple[CoAuthor, ...]

    def has_co_author(self, key: str | None) -> bool:
        """Whether `key` is a present co-author."""
        return any(co_author.key == key for co_author in self.co_authors)


@dataclass(frozen=True, slots=True)
class MessageAccount:
    """A `Message` account. `thread` is the Thread account's address, `sequence` the thread's at the last change."""

    address: str
    thread: str
    author: str
    status: MessageStatus
    content_hash: str
    body_hash: str
    nonce: int
    stake: int
    escrow_remaining: int
    share: int
    submitted_at: int
    expires_at: int
    decided_at: int
    submitted_sequence: int
    sequence: int
    leaf_index: int
    votes: tuple[Vote, ...]

    def vote_of(self, key: str | None) -> Vote | None:
        """The vote that `key` has cast, if any."""
        return next((vote for vote in self.votes if vote.voter == key), None)
