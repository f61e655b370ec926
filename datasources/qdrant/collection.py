"""Makes the collection, or checks that the one that is there was made for this chain, program and model."""

from __future__ import annotations

from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from chorale.domain.errors import StartupError
from datasources.qdrant.identity import CollectionIdentity
from datasources.qdrant.payload import INTEGERS, KEYWORDS
from datasources.qdrant.search import DENSE, SPARSE, SPARSE_PRIVATE

_CONFLICT = 409


def ensure_collection(client: QdrantClient, identity: CollectionIdentity, *, exclusive: bool) -> None:
    """Create what is missing, payload indexes included. Raises StartupError where another model's content stands."""
    if not client.collection_exists(identity.name):
        _refuse_other_model(client, identity)
        _create(client, identity)
    info = client.get_collection(identity.name)
    recorded = info.config.metadata or {}
    if recorded != _metadata(identity):
        raise _mismatch(identity, recorded)
    if not exclusive:  # the embedded engine filters without indexes
        for name, schema in _indexes().items():
            if name not in info.payload_schema:
                client.create_payload_index(identity.name, name, field_schema=schema, wait=True)


def _create(client: QdrantClient, identity: CollectionIdentity) -> None:
    try:
        client.create_collection(
            identity.name,
            vectors_config={DENSE: models.VectorParams(size=identity.dimensions, distance=models.Distance.COSINE)},
            sparse_vectors_config={
                SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF),
                SPARSE_PRIVATE: models.SparseVectorParams(),
            },
            metadata=_metadata(identity),
        )
    except UnexpectedResponse as error:
        if error.status_code != _CONFLICT:  # another replica was first
            raise


def _refuse_other_model(client: QdrantClient, identity: CollectionIdentity) -> None:
    for collection in client.get_collections().collections:
        if collection.name.startswith(identity.family):
            raise _mismatch(identity, client.get_collection(collection.name).config.metadata or {})


def _mismatch(identity: CollectionIdentity, recorded: dict[str, Any]) -> StartupError:
    return StartupError(
        f"The content of this chain was embedded by the model {recorded.get('fingerprint', 'unknown')!r}, "
        f"and the model now is {identity.fingerprint!r}. Set CHORALE_EMBEDDING_MODEL to the earlier model, "
        "or start with an empty content store (another CHORALE_DATA or CHORALE_CONTENT_URL)."
    )


def _metadata(identity: CollectionIdentity) -> dict[str, Any]:
    return {
        "genesis_hash": identity.genesis_hash,
        "program_id": identity.program_id,
        "fingerprint": identity.fingerprint,
        "dimensions": identity.dimensions,
    }


def _indexes() -> dict[str, models.PayloadSchemaType]:
    keywords = dict.fromkeys(KEYWORDS, models.PayloadSchemaType.KEYWORD)
    return keywords | dict.fromkeys(INTEGERS, models.PayloadSchemaType.INTEGER)
