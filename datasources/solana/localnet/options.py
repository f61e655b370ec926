"""What the embedded chain is started with, and what it tells once it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LocalnetInfo:
    """A serving localnet: hash and keys in base58, addresses as URLs. `ws_url` is the port after `rpc_url`'s."""

    genesis_hash: str
    program_id: str
    mint: str
    admin: str
    rpc_url: str
    ws_url: str


@dataclass(frozen=True, slots=True)
class LocalnetOptions:
    """Where the chain lives and listens.

    `data` is the data directory (everything is kept in its `localnet/`); `port` 0 takes a free pair of ports;
    `program_so` None starts a chain without the program; `ready` is called once, when the first request can come.
    """

    data: Path
    host: str = "127.0.0.1"
    port: int = 8899
    program_so: Path | None = None
    ready: Callable[[LocalnetInfo], None] | None = None
