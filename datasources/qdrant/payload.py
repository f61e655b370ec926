"""A point's payload: how content and chain state stand in Qdrant, and the proof that the bytes are the right ones.

| field | type | written by |
| --- | --- | --- |
| kind, thread_id, hash, author, salt, body | string | staging, never again |
| nonce, stake | decimal string: u64 does not fit Qdrant's integers | staging, never again |
| lease_until | unix s | staging |
| status, sequence, submitted_at, submitted_sequence, voters, fingerprint | string or integer | promotion |
| quarantined_at | unix s, 0 or absent where the bytes are right | quarantine |
| restored_at | unix s, 0 or absent where they always were | restoring |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chorale.domain.approval import MessageStatus
from chorale.domain.content import Content, ContentKey, ContentKind, Correction, Promotion, StoredContent
from programs import identity

Payload = dict[str, Any]

_STATUSES = tuple(status.value for status in MessageStatus)

BYTES = ("kind", "thread_id", "hash", "author", "nonce", "salt", "body")
"""What the hash is computed from, and the hash."""
KEYWORDS = ("kind", "thread_id", "hash", "author", "status", "voters", "fingerprint")
INTEGERS = ("sequence", "submitted_at", "submitted_sequence", "lease_until", "quarantined_at")


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
        "quarantined_at": 0,
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
        payload["quarantined_at"] = 0  # vectors are made of proven bytes only
    return payload


def restored_payload(content: Content, lease_until: int, now: int, before: Mapping[str, Any] | None) -> Payload:
    """The payload of bytes that are supplied again, instead of `before` where something stands there."""
    earlier = _integer(before or {}, "restored_at")
    return staged_payload(content, lease_until) | {"restored_at": max(now, earlier + 1)}


def quarantined_payload(now: int) -> Payload:
    """What marks a point whose bytes do not match: without a fingerprint no search finds it."""
    return {"quarantined_at": now, "fingerprint": ""}


def corrected_payload(correction: Correction) -> Payload:
    """What a finalized read says; with nothing on chain, what staging had written."""
    promotion = correction.promotion
    if promotion is not None:
        return promoted_payload(promotion) | {"author": promotion.author}
    return {
        "status": MessageStatus.STAGED.value,
        "sequence": 0,
        "submitted_at": 0,
        "submitted_sequence": 0,
        "voters": [],
        "fingerprint": "",
        "lease_until": correction.lease_until,
    }


def proven(payload: Mapping[str, Any] | None, asked: ContentKey | None = None) -> StoredContent | None:
    """The point as it was stored, None where its bytes do not give its hash, or not the one that was `asked` for.

    Chain state that was deleted or damaged reads as never promoted: it can be written again, the bytes cannot.
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
        key=ContentKey(ContentKind(payload["kind"]), _text(payload, "thread_id"), _text(payload, "hash")),
        author=_text(payload, "author"),
        nonce=int(_text(payload, "nonce")),
        salt=_text(payload, "salt"),
        body=_text(payload, "body"),
        stake=int(str(payload.get("stake", 0))),
        status=_status(payload),
        sequence=_integer(payload, "sequence"),
        submitted_at=_integer(payload, "submitted_at"),
        submitted_sequence=_integer(payload, "submitted_sequence"),
        voters=_voters(payload),
        lease_until=_integer(payload, "lease_until"),
        fingerprint=str(payload.get("fingerprint", "")),
        restored_at=_integer(payload, "restored_at"),
    )


def _text(payload: Mapping[str, Any], name: str) -> str:
    found = payload[name]
    if not isinstance(found, str):
        raise ValueError(f"{name} is not a string.")
    return found


def _status(payload: Mapping[str, Any]) -> MessageStatus:
    found = payload.get("status")
    return MessageStatus(found) if found in _STATUSES else MessageStatus.STAGED


def _integer(payload: Mapping[str, Any], name: str) -> int:
    found = payload.get(name)
    return found if isinstance(found, int) else 0


def _voters(payload: Mapping[str, Any]) -> tuple[str, ...]:
    found = payload.get("voters")
    return tuple(map(str, found)) if isinstance(found, list) else ()
