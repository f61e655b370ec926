"""Keeps the Hugging Face hub's client off the network; import this before fastembed or qdrant_client.

Models come from folders, never from a hub, so that a start neither waits for a network nor depends on one. The hub's
client reads its switch once, while it is imported, and qdrant_client imports fastembed, which imports it.
"""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
