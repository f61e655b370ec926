"""The ports: what the spine and the graph ask of the four systems. Adapters live in `datasources/`.

Every method raises `AuthorityUnavailableError` of its own authority where that one is away; no vendor's exception
passes a port.
"""

from __future__ import annotations

from chorale.domain.ports.chain import Chain, Signer
from chorale.domain.ports.content import ContentStore, CorrectableContent, Embedder
from chorale.domain.ports.index import CorrectableIndex, Index, IndexReader
from chorale.domain.ports.sessions import SessionStore

__all__ = [
    "Chain",
    "ContentStore",
    "CorrectableContent",
    "CorrectableIndex",
    "Embedder",
    "Index",
    "IndexReader",
    "SessionStore",
    "Signer",
]
