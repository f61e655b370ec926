"""An embedded chain on fixed ports whose history a test may put back, or replace by that of another chain."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from datasources.solana.localnet.keys import load_keys, localnet_folder
from tests.chains import PROGRAM_SO, ROOT, RunningChain
from tests.patience import PATIENCE
from tests.processes import end, free_port

_RUN = """
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from datasources.solana.localnet import LocalnetOptions, run_localnet

def ready(info):
    print(json.dumps(asdict(info)), flush=True)

data, port, program = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
asyncio.run(run_localnet(LocalnetOptions(data=data, port=port, program_so=program, ready=ready)))
"""


class ReplaceableChain:
    """The chain's process over `data`. Program, mint and wallets with authority stay the same throughout."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._port = free_port(pair=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RunningChain:
        """Start it and wait until it answers."""
        command = [sys.executable, "-c", _RUN, str(self._data), str(self._port), str(PROGRAM_SO)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the localnet did not start (exit code {self._process.wait(PATIENCE)})"
        info = orjson.loads(line)
        admin = load_keys(self._data).admin
        return RunningChain("localnet", info["rpc_url"], info["ws_url"], info["program_id"], info["mint"], admin)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)

    def keep(self) -> None:
        """Keep the history of now, while the chain does not run."""
        kept = self._kept()
        kept.mkdir()
        for file in self._files():
            shutil.copy2(file, kept)

    def put_back(self) -> None:
        """Put the kept history back: what came after it has never happened."""
        self.forget()
        for file in self._kept().iterdir():
            shutil.copy2(file, localnet_folder(self._data))

    def forget(self) -> None:
        """Forget all history: the next start makes another chain with the same keys."""
        for file in self._files():
            file.unlink()

    def stop(self) -> None:
        """End it politely."""
        if self._process is not None and self._process.poll() is None:
            end(self._process)

    def _files(self) -> list[Path]:
        return list(localnet_folder(self._data).glob("ledger.sqlite3*"))

    def _kept(self) -> Path:
        return self._data / "kept"


@contextmanager
def replaceable_chain(data: Path) -> Iterator[ReplaceableChain]:
    """A chain that ends with the block."""
    chain = ReplaceableChain(data)
    try:
        yield chain
    finally:
        chain.stop()
