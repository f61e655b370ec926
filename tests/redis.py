"""A real Redis for tests: it can be killed and started again on its port, with or without what it had saved."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from tests.patience import PATIENCE
from tests.processes import free_port


class RunningRedis:
    """A server on a port of its own in `folder`."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self._folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of its first database."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start; returns when it accepts connections. A dump in its folder is restored."""
        command = [self._binary, "--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def save(self) -> None:
        """Write what it holds into its folder: the next start restores it."""
        with Redis.from_url(self.url) as client:
            client.save()

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._ended()

    def _ended(self) -> None:
        assert self._process is not None
        self._process.wait(PATIENCE)
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def running_redis(folder: Path) -> Iterator[RunningRedis]:
    """A Redis that ends with the block; skips the test where none is installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is missing")
    redis = RunningRedis(binary, folder)
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()
