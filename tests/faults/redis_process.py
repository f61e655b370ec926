"""A Redis of the test's own, which keeps nothing on disk and can be stopped and started again on its port."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import end, free_port


@dataclass
class RedisProcess:
    """Listens on `port` of loopback."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, empty, and wait until it listens. Skips the test where there is no Redis."""
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is missing")
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [binary, "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert any(b"Ready to accept connections" in line for line in self._process.stdout)

    def stop(self) -> None:
        """End it; what it held is gone."""
        if self._process is not None:
            end(self._process)
            self._process = None


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisProcess]:
    """A Redis for the length of the block."""
    redis = RedisProcess(folder, free_port())
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()
