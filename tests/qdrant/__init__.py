"""A Qdrant server for tests: the REST interface as far as the store uses it, over Qdrant's own engine, Edge."""
