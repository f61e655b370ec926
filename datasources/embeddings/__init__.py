"""Embeddings: a real model by fastembed, from a folder, in one worker thread."""

from datasources.embeddings.embedder import FastEmbedder, open_embedder

__all__ = ["FastEmbedder", "open_embedder"]
