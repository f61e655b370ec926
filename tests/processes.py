"""Processes that tests start: their ports, looking at them, and ending them."""

from __future__ import annotations

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import PATIENCE

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc to find the child")


def until(condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.05)


def child_of(pid: int) -> int:
    """The embedded chain's process under a server."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [int(child) for child in children if b"localnet" in Path(f"/proc/{child}/cmdline").read_bytes()]
    assert len(found) == 1
    return found[0]


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


def free_port(*, pair: bool = False) -> int:
    """A port that nobody listens on; with `pair`, the next one is free as well."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            if not pair:
                return port
            with socket.socket() as second, contextlib.suppress(OSError):
                second.bind(("127.0.0.1", port + 1))
                return port


def lasting_port(*, pair: bool = False) -> int:
    """The same for who lets go of it and comes back: below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(12_000, 30_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for each in (port, port + 1) if pair else (port,):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", each))
            return port


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process, by force where it does not listen."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
    if process.stdout is not None:
        process.stdout.close()
