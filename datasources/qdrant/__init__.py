"""Content in Qdrant, embedded or a server."""

import datasources.embeddings.offline  # noqa: F401 - qdrant_client imports fastembed, so this must be first
from datasources.qdrant.identity import CollectionIdentity
from datasources.qdrant.store import QdrantContent, open_content

__all__ = ["CollectionIdentity", "QdrantContent", "open_content"]
