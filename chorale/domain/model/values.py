"""What accounts hold, and how many bytes that takes. Lists are replaced, never changed in place: copies are shallow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from chorale.domain.accounts import NO_LEAF, StatusByte

Key = bytes
TREE_DEPTH = 20
TREE_CAPACITY = 2**TREE_DEPTH
MAX_CO_AUTHORS = 64
U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
I64_MAX = 2**63 - 1
ZERO = bytes(32)

SEAT_BYTES = 40
VOTE_BYTES = 42


@dataclass(slots=True)
class Protocol:
    """The one account of parameters."""

    bump: int
    treasury_bump: int
    admin: Key
    mint: Key
    minimum_stake: int
    approval_window: int
    allow_freezable: bool
    sequence: int = 0

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return 164


class Seat(NamedTuple):
    """A present co-author, and the thread's sequence at which they joined."""

    key: Key
    joined_sequence: int


@dataclass(slots=True)
class Thread:
    """A thread; `room` counts the seats that the account has bytes for."""

    bump: int
    vault_bump: int
    thread_id: bytes
    creator: Key
    nonce: int
    created_at: int
    title_hash: bytes
    content_root: bytes
    token_balance: int = 0
    stakes_total: int = 0
    escrow_total: int = 0
    treasury_due: int = 0
    message_count: int = 0
    pending_count: int = 0
    published_count: int = 0
    sequence: int = 0
    activity_at: int = 0
    activity_sequence: int = 0
    frontier: list[bytes] = field(default_factory=lambda: [ZERO] * TREE_DEPTH)
    seats: list[Seat] = field(default_factory=list)
    room: int = 1

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return 931 + SEAT_BYTES * self.room

    @property
    def owned(self) -> int:
        """Base units that the vault must hold."""
        return self.token_balance + self.stakes_total + self.escrow_total + self.treasury_due

    def seats_key(self, key: Key) -> bool:
        """Whether `key` is a present co-author."""
        return any(seat.key == key for seat in self.seats)


class Vote(NamedTuple):
    """One vote, for good."""

    voter: Key
    approve: bool
    claimed: bool
    cast_at: int


@dataclass(slots=True)
class Message:
    """A message; `room` counts the votes that the account has bytes for."""

    bump: int
    thread: Key
    author: Key
    content_hash: bytes
    body_hash: bytes
    nonce: int
    status: StatusByte = StatusByte.PENDING
    stake: int = 0
    escrow_remaining: int = 0
    share: int = 0
    submitted_at: int = 0
    expires_at: int = 0
    decided_at: int = 0
    submitted_sequence: int = 0
    sequence: int = 0
    leaf_index: int = NO_LEAF
    votes: list[Vote] = field(default_factory=list)
    room: int = 0

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return 283 + VOTE_BYTES * self.room

    def vote_of(self, voter: Key) -> Vote | None:
        """The vote that `voter` has cast."""
        return next((vote for vote in self.votes if vote.voter == voter), None)


@dataclass(slots=True)
class TokenAccount:
    """An SPL token account."""

    mint: Key
    holder: Key
    amount: int = 0
    frozen: bool = False

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return 165


@dataclass(slots=True)
class Mint:
    """An initialised SPL mint."""

    supply: int
    freezable: bool = False

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return 82


@dataclass(slots=True)
class Opaque:
    """Bytes that are no account of this program, whoever owns them."""

    data: bytes

    @property
    def size(self) -> int:
        """Bytes of the account."""
        return len(self.data)


Value = Protocol | Thread | Message | TokenAccount | Mint | Opaque


@dataclass(slots=True)
class State:
    """An account: its lamports, the program that owns it, and what it holds (None: no data)."""

    lamports: int
    owner: Key
    value: Value | None = None
