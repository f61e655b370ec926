"""`chorale localnet`: the embedded chain by itself, for people or under a server that supervises it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

import programs
from chorale.domain.errors import StartupError
from chorale.process.localnet_process import LocalnetAddress
from chorale.process.output import Say
from datasources.solana.localnet import LocalnetInfo, LocalnetOptions, run_localnet
from datasources.solana.localnet.errors import DataInUseError, PortInUseError

PROGRAM_SO = Path(programs.__path__[0]) / "chorale.so"
_PREDECESSOR_SECONDS = 10.0
_RETRY = 0.1


async def localnet(data: Path, port: int, announce: Say) -> int:
    """Serve the chain in `data` until SIGINT or SIGTERM. Raises StartupError."""

    def ready(info: LocalnetInfo) -> None:
        announce(f"RPC: {info.rpc_url} (PubSub there too, and at {info.ws_url})")
        announce(f"Program: {info.program_id}")
        announce(f"Mint: {info.mint}")

    await run_localnet(LocalnetOptions(data=data, port=port, program_so=PROGRAM_SO, ready=ready))
    return 0


async def supervised(data: Path, port: int) -> int:
    """The same for a parent that reads JSON lines and holds our stdin: when that ends, so do we."""
    chain = asyncio.create_task(_after_predecessor(data, port), name="chain")
    parent = asyncio.create_task(_until_parent_ends(), name="parent")
    try:
        await asyncio.wait((chain, parent), return_when=asyncio.FIRST_COMPLETED)
        if not chain.done():
            chain.cancel()
        await asyncio.gather(chain, return_exceptions=True)
        error = None if chain.cancelled() else chain.exception()
        if isinstance(error, StartupError):
            _tell({"refused": str(error)})
            return 2
        if error is not None:
            raise error
        return 0
    finally:
        parent.cancel()


async def _after_predecessor(data: Path, port: int) -> None:
    """Run the chain. The child of a server that was killed needs a moment to notice and to let go of data and port."""

    def ready(info: LocalnetInfo) -> None:
        _tell({"ready": asdict(LocalnetAddress(info.rpc_url, info.ws_url, info.program_id, info.genesis_hash))})

    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        try:
            await run_localnet(LocalnetOptions(data=data, port=port, program_so=PROGRAM_SO, ready=ready))
            return
        except DataInUseError:
            if time.monotonic() > deadline:
                raise
        except PortInUseError:
            if time.monotonic() > deadline - _PREDECESSOR_SECONDS + 1.0:
                raise
        await asyncio.sleep(_RETRY)


async def _until_parent_ends() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


def _tell(message: dict[str, object]) -> None:
    os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")
