"""What is met on the way to something else, as conflicts: bytes that cannot be served, an update that was read back
unequal, a hit that says something else than its account."""

from __future__ import annotations

from chorale.domain.accounts import MessageAccount
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.content import ContentKey, ContentState, StoredContent
from chorale.reconciliation.resolution import subject_of

_BYTES = "bytes of this hash"


def content_conflict(key: ContentKey, state: ContentState) -> Conflict | None:
    """Bytes that were asked for and cannot be served; None where nothing is wrong with them."""
    if state is ContentState.MISSING:
        return Conflict(ConflictCause.CONTENT_MISSING, subject_of(key), key.thread_id, _BYTES, "no point")
    if state is ContentState.QUARANTINED:
        return Conflict(ConflictCause.CONTENT_CORRUPT, subject_of(key), key.thread_id, _BYTES, "other bytes")
    return None


def abandoned_conflict(content: StoredContent, slot: int) -> Conflict:
    """Staged bytes whose lease has passed and that a finalized read of `slot` knows nothing of."""
    key = content.key
    found = f"bytes that were staged until {content.lease_until}"
    return Conflict(ConflictCause.CONTENT_ABANDONED, subject_of(key), key.thread_id, "no account", found, slot)


def hit_conflict(stored: StoredContent, account: MessageAccount, slot: int) -> Conflict | None:
    """A search's hit against the message's account; None where they agree, or the account was read too early."""
    key = stored.key
    if stored.sequence < account.sequence:
        cause, pair = ConflictCause.PAYLOAD_BEHIND, (f"sequence {account.sequence}", f"sequence {stored.sequence}")
    elif stored.sequence == account.sequence and stored.status is not account.status:
        cause, pair = ConflictCause.PAYLOAD_WRONG, (f"status {account.status}", f"status {stored.status}")
    else:
        return None
    return Conflict(cause, subject_of(key), key.thread_id, *pair, slot, account.sequence)


def diverged_conflict(
    cause: ConflictCause, thread_id: str | None, content_hash: str | None, what: str, slot: int
) -> Conflict:
    """An update that was read back and differs; `what` says how. Without a thread it is the protocol's."""
    subject = "Protocol" if thread_id is None else f"Thread:{thread_id}"
    subject = subject if content_hash is None else f"Message:{content_hash}"
    return Conflict(cause, subject, thread_id or "", "what the update made", what, slot)
