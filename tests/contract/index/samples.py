"""Accounts as the chain would show them, made by hand: what the index's tests feed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from chorale.domain.accounts import NO_LEAF, CoAuthor, MessageAccount, ThreadAccount, Vote
from chorale.domain.approval import MessageStatus
from chorale.domain.content import ContentKey, ContentKind, StoredContent
from chorale.domain.events import EventKind, NewEvent
from programs import merkle

GENESIS, PROGRAM, MODEL = "genesis", "program", "model"


def hash_of(*parts: object) -> str:
    """A hash that tells nothing about its order."""
    return sha256(repr(parts).encode()).hexdigest()


def thread(
    name: str, *, sequence: int, members: Iterable[str] = ("ana",), published: Sequence[str] = (), activity_at: int = 1
) -> ThreadAccount:
    """A thread whose root is that of the `published` content hashes."""
    frontier, count, root = merkle.fold(published)
    return ThreadAccount(
        address=f"address of {name}", thread_id=hash_of("thread", name), creator="ana", nonce=0, created_at=1,
        title_hash=hash_of("title", name), token_balance=0, stakes_total=0, escrow_total=0, treasury_due=0,
        message_count=0, pending_count=0, published_count=count, sequence=sequence, activity_at=activity_at,
        activity_sequence=sequence, content_root=root, frontier=frontier,
        co_authors=tuple(CoAuthor(key, 1) for key in members),
    )  # fmt: skip


def message(
    name: object,
    *,
    status: MessageStatus,
    sequence: int,
    author: str = "ana",
    leaf_index: int = NO_LEAF,
    **changes: object,
) -> MessageAccount:
    """A message of status and sequence; `changes` are fields of the account."""
    account = MessageAccount(
        address=f"address of {name}", thread="", author=author, status=status, content_hash=hash_of("message", name),
        body_hash=hash_of("body", name), nonce=0, stake=0, escrow_remaining=0, share=0, submitted_at=100 + sequence,
        expires_at=1_000, decided_at=200 + sequence, submitted_sequence=sequence, sequence=sequence,
        leaf_index=leaf_index, votes=(),
    )  # fmt: skip
    return replace(account, **changes)  # type: ignore[arg-type]


def vote(voter: str, *, approve: bool, claimed: bool = False) -> Vote:
    """A vote cast at time 5."""
    return Vote(voter, approve, claimed, 5)


def staged(name: object, thread_id: str, author: str) -> StoredContent:
    """Bytes without an account."""
    key = ContentKey(ContentKind.MESSAGE, thread_id, hash_of("message", name))
    return StoredContent(key, author, 0, "00" * 32, "text", 0, MessageStatus.STAGED, 0, 0, 0, (), 10, "")


def event(account: ThreadAccount, sequence: int, ordinal: int = 0, kind: EventKind = EventKind.VOTE_CAST) -> NewEvent:
    """An event of the chain, signed by the sequence's own transaction."""
    return NewEvent(kind, account.thread_id, sequence, ordinal, 10 + sequence, 20 + sequence, f"signature {sequence}")


def own_event(account: ThreadAccount, subject: str, occurrence: int = 0) -> NewEvent:
    """An event that the server makes itself."""
    return NewEvent(
        EventKind.UPDATE_VERIFIED, account.thread_id, 0, 0, 1, 1, subject, subject=subject, occurrence=occurrence
    )
