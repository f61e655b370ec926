"""Logging of a process: one line an event on standard error. Request bodies, tokens and secrets never get there; the
signature of a transaction is its public name."""

from __future__ import annotations

import logging
import sys

_CHATTY = ("httpx", "httpcore", "websockets", "asyncio", "uvicorn.error", "fastembed", "qdrant_client")


def set_up_logs(level: int = logging.INFO) -> None:
    """Configure the root logger of this process, once, from a command."""
    logging.basicConfig(
        level=level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
