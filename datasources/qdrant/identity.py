"""Names of collections and points. Another chain, program, model or layout never meets old points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from chorale.domain.content import ContentKey, ContentKind
from programs.wire import hash_bytes, key_bytes

LAYOUT = 2
"""Raised whenever the collection's vectors change in kind or in meaning."""


@dataclass(frozen=True, slots=True)
class CollectionIdentity:
    """What a collection is for. Keys are base58; `fingerprint` is the embedder's, `dimensions` its vectors' length."""

    genesis_hash: str
    program_id: str
    fingerprint: str
    dimensions: int

    @property
    def family(self) -> str:
        """What the names of all collections of this chain, program and layout start with, whatever their model."""
        return f"chorale{LAYOUT}-{sha256(self._chain).hexdigest()[:16]}-"

    @property
    def name(self) -> str:
        """Name of the collection."""
        return self.family + sha256(self.fingerprint.encode()).hexdigest()[:8]

    def point_id(self, key: ContentKey) -> str:
        """First 16 bytes of sha256(genesis ‖ program ‖ kind ‖ hash) as a UUID; for a title hash is thread_id ‖ hash."""
        proof = hash_bytes(key.hash)
        if key.kind is ContentKind.TITLE:
            proof = hash_bytes(key.thread_id) + proof
        return str(UUID(bytes=sha256(self._chain + key.kind.encode() + proof).digest()[:16]))

    def key_of(self, id: str, payload: Mapping[str, Any] | None) -> ContentKey | None:
        """What a point is called, by a payload that may be damaged; None where it does not give this id."""
        try:
            found = payload or {}
            key = ContentKey(ContentKind(found["kind"]), str(found["thread_id"]), str(found["hash"]))
            return key if self.point_id(key) == id else None
        except (KeyError, ValueError):
            return None

    @property
    def _chain(self) -> bytes:
        return key_bytes(self.genesis_hash) + key_bytes(self.program_id)
