"""Stored content against the accounts: the same bytes, the same author, the same payload."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.conflict import ConflictCause
from chorale.domain.content import ContentState, FetchedContent, StoredContent
from programs import identity


@dataclass(frozen=True, slots=True)
class Comparison:
    """`gap` is the sequence of what is derived minus the account's: below 0 that is behind, above 0 the read is.

    `conflict` says what differs where both are of one version, and `cause` what kind of conflict that is; `remark` says
    what could not be compared. `of_lists` tells that the content is equal, and this is about the index.
    """

    gap: int = 0
    conflict: str | None = None
    cause: ConflictCause = ConflictCause.PAYLOAD_WRONG
    remark: str | None = None
    of_lists: bool = False


def absent(fetched: FetchedContent, own_content: bool) -> Comparison:
    """Nothing to compare with. `own_content` says that the update brought the bytes, so that they must be there."""
    if fetched.state is ContentState.QUARANTINED:
        corrupt = "the stored bytes no longer match their hash"
        return Comparison(conflict=corrupt, cause=ConflictCause.CONTENT_CORRUPT)
    absent = "the stored bytes are missing"
    if own_content:
        return Comparison(conflict=absent, cause=ConflictCause.CONTENT_MISSING)
    return Comparison(remark=f"not compared: {absent}")


def compare_title(thread: ThreadAccount, stored: StoredContent) -> Comparison:
    """A thread's title."""
    if identity.title_hash(stored.salt, stored.body) != thread.title_hash:
        return Comparison(conflict="the stored title does not hash to title_hash", cause=ConflictCause.CONTENT_CORRUPT)
    if stored.author != thread.creator:
        return Comparison(conflict=f"the stored title is {stored.author}'s, the thread {thread.creator}'s")
    if stored.status is MessageStatus.STAGED:
        return Comparison(gap=-1)
    return Comparison()


def compare_content(
    thread: ThreadAccount, message: MessageAccount, stored: StoredContent, fingerprint: str
) -> Comparison:
    """A message's point, payload and vectors."""
    body_hash = identity.body_hash(stored.salt, stored.body)
    derived = identity.content_hash(thread.thread_id, message.author, message.nonce, body_hash)
    if body_hash != message.body_hash or derived != message.content_hash:
        wrong = "the stored bytes do not hash to body_hash and content_hash"
        return Comparison(conflict=wrong, cause=ConflictCause.CONTENT_CORRUPT)
    if stored.author != message.author:
        return Comparison(conflict=f"the stored author is {stored.author}, the chain's {message.author}")
    if stored.sequence != message.sequence:
        return Comparison(gap=stored.sequence - message.sequence)
    pairs = {
        "status": (stored.status.value, message.status.value),
        "submitted_sequence": (stored.submitted_sequence, message.submitted_sequence),
        "submitted_at": (stored.submitted_at, message.submitted_at),
        "voters": (sorted(stored.voters), sorted(vote.voter for vote in message.votes)),
    }
    differing = [f"{name} is {kept}, the chain's {true}" for name, (kept, true) in pairs.items() if kept != true]
    if differing:
        return Comparison(conflict="; ".join(differing))
    # Vectors of another model, or none, are written again like any promotion that has not arrived.
    return Comparison(gap=0 if stored.fingerprint == fingerprint else -1)
