"""Qdrant in a process of its own, so that it can be killed: `python -m tests.faults.qdrant_process PORT FOLDER`. See
`tests.qdrant.rest` for what it is and what it is not."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn

from tests.chains import ROOT
from tests.patience import PATIENCE
from tests.processes import end, lasting_port
from tests.qdrant.collections import Collections
from tests.qdrant.rest import Rest

_READY = b"ready\n"


class QdrantProcess:
    """A store over `folder`, on a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = lasting_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it; returns when it accepts connections."""
        command = [sys.executable, "-m", "tests.faults.qdrant_process", str(self._port), str(self._folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == _READY, "the store did not start"

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """End it politely, if it runs."""
        if self._process is not None and self._process.poll() is None:
            end(self._process)

    def keep(self) -> None:
        """Keep what it holds now, while it does not run."""
        shutil.copytree(self._folder, self._kept)

    def put_back(self) -> None:
        """Put back what was kept: what was written since is gone."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)

    @property
    def _kept(self) -> Path:
        return self._folder.with_name(f"{self._folder.name} kept")


@contextmanager
def running_qdrant_process(folder: Path) -> Iterator[QdrantProcess]:
    """A store that ends with the block."""
    qdrant = QdrantProcess(folder)
    qdrant.start()
    try:
        yield qdrant
    finally:
        qdrant.stop()


def main(port: int, folder: str) -> None:
    """Serve until ended."""
    with closing(Collections(Path(folder))) as collections, socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen()
        print("ready", flush=True)  # what connects before the server runs waits
        config = uvicorn.Config(Rest(collections).application(), log_level="error", lifespan="off", loop="asyncio")
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
