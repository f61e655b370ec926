"""A point's payload: how content and chain state stand in Qdrant, and the proof that the bytes are the right ones.

| field | type | written by |
| --- | --- | --- |
| kind, thread_id, hash, author, salt, body | string | staging, never again |
| nonce, stake | decimal string: u64 does not fit Qdrant's integers | staging, never again |
| lease_until | unix s | staging |
| status, sequence, submitted_at, submitted_sequence, voters, fingerprint | string or integer | promotion |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chorale.domain.approval import MessageStatus
from chorale.domain.content import Content, ContentKey, ContentKind, Promotion, StoredContent
from programs import identity

Payload = dict[str, Any]

KEYWORDS = ("kind", "thread_id", "hash", "author", "status", "voters", "fingerprint")
INTEGERS = ("sequence", "submitted_at", "submitted_sequence", "lease_until")


def staged_payload(content: Content, lease_until: int) -> Payload:
    """The payload of a new point."""
    return {
        "kind": content.key.kind.value,
        "thread_id": content.key.thread_id,
        "hash": content.key.hash,
        "author": content.author,
        "nonce": str(content.nonce),
        "salt": content.salt,
        "body": content.body,
        "stake": str(content.stake),
        "lease_until": lease_until,
        "status": MessageStatus.STAGED.value,
        "sequence": 0,
        "submitted_at": 0,
        "submitted_sequence": 0,
        "voters": [],
        "fingerprint": "",
    }


def promoted_payload(promotion: Promotion) -> Payload:
    """What a promotion changes. Without vectors the fingerprint of earlier ones stays."""
    payload: Payload = {
        "status": promotion.status.value,
        "sequence": promotion.sequence,
        "submitted_at": promotion.submitted_at,
        "submitted_sequence": promotion.submitted_sequence,
        "voters": list(promotion.voters),
    }
    if promotion.embedding is not None:
        payload["fingerprint"] = promotion.fingerprint
    return payload


def proven(payload: Mapping[str, Any] | None, asked: ContentKey | None = None) -> StoredContent | None:
    """The point as it was stored, None where its bytes do not give its hash, or not the one that was `asked` for.

    Chain state that has been deleted reads as never promoted: it can be promoted again, the bytes cannot be replaced.
    """
    try:
        stored = _decoded(payload or {})
        found = _computed_hash(stored)
    except (KeyError, TypeError, ValueError):
        return None
    if found != stored.key.hash or (asked is not None and not _answers(stored.key, asked)):
        return None
    return stored


def content_is_proven(content: Content) -> bool:
    """Whether bytes that are to be staged give the hash in their key."""
    return proven(staged_payload(content, 0), content.key) is not None


def _answers(stored: ContentKey, asked: ContentKey) -> bool:
    if (stored.kind, stored.hash) != (asked.kind, asked.hash):
        return False
    # A message's hash covers its thread; a title's does not.
    return asked.kind is ContentKind.MESSAGE or stored.thread_id == asked.thread_id


def _computed_hash(stored: StoredContent) -> str:
    if stored.key.kind is ContentKind.TITLE:
        return identity.title_hash(stored.salt, stored.body)
    body_hash = identity.body_hash(stored.salt, stored.body)
    return identity.content_hash(stored.key.thread_id, stored.author, stored.nonce, body_hash)


def _decoded(payload: Mapping[str, Any]) -> StoredContent:
    return StoredContent(
        key=ContentKey(ContentKind(payload["kind"]), payload["thread_id"], payload["hash"]),
        author=payload["author"],
        nonce=int(payload["nonce"]),
        salt=payload["salt"],
        body=payload["body"],
        stake=int(payload.get("stake", 0)),
        status=MessageStatus(payload.get("status", MessageStatus.STAGED)),
        sequence=int(payload.get("sequence", 0)),
        submitted_at=int(payload.get("submitted_at", 0)),
        submitted_sequence=int(payload.get("submitted_sequence", 0)),
        voters=tuple(payload.get("voters", ())),
        lease_until=int(payload.get("lease_until", 0)),
        fingerprint=payload.get("fingerprint", ""),
    )
