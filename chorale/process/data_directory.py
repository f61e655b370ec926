"""One owner per data directory: an flock taken before anything opens, on a file that tells where the owner is."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chorale.domain.errors import StartupError

LOCK_FILE = "lock"
_RETRY = 0.05


def keep_files_private() -> None:
    """Whatever this process and its children make from here on is for this user alone, in any folder."""
    os.umask(0o077)


class DirectoryInUseError(StartupError):
    """Another process owns the data directory."""

    def __init__(self, path: Path, holder: Holder | None) -> None:
        self.holder = holder
        who = "another process" if holder is None else f"`{holder.command}` (process {holder.pid})"
        at = f" at {holder.address}" if holder is not None and holder.address else ""
        super().__init__(
            f"The data directory {path} is in use by {who}{at}. "
            "Use that one, stop it, or set CHORALE_DATA to another folder."
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owns a directory: the command, its process id, and where it answers once it does ("" before): its own
    address and that of its chain's RPC. `token` opens what a server keeps for those who can read its directory."""

    command: str
    pid: int
    address: str = ""
    rpc_url: str = ""
    token: str = field(default="", repr=False)


class Ownership:
    """A held lock. `announce` tells other processes where the owner is reached."""

    def __init__(self, descriptor: int, command: str) -> None:
        self._descriptor = descriptor
        self._command = command

    def announce(self, address: str = "", rpc_url: str = "", token: str = "") -> None:
        """Write the owner's addresses and token into the lock file."""
        text = json.dumps(asdict(Holder(self._command, os.getpid(), address, rpc_url, token))).encode()
        os.pwrite(self._descriptor, text, 0)
        os.ftruncate(self._descriptor, len(text))


@contextmanager
def own(path: Path, command: str, *, wait: float = 0.5) -> Iterator[Ownership]:
    """Own the folder `path` (made where absent, readable by its user alone) until the block ends or the process dies.

    Waits `wait` s for an owner that is just leaving; raises DirectoryInUseError after, StartupError where the folder
    cannot be made or written.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartupError(
            f"The data directory {path} cannot be used: {error.strerror}. Set CHORALE_DATA to a folder that this user "
            "may write."
        ) from error
    try:
        deadline = time.monotonic() + wait
        while not _lock(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise DirectoryInUseError(path, _read(path))
            time.sleep(_RETRY)
        ownership = Ownership(descriptor, command)
        ownership.announce()
        yield ownership
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> Holder | None:
    """Who owns the folder now; None where nobody does."""
    try:
        descriptor = os.open(path / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        # The kernel drops a dead owner's lock, so a file left behind by a crash misleads nobody.
        return None if _lock(descriptor, fcntl.LOCK_SH) else _read(path)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Holder | None:
    try:
        return Holder(**json.loads((path / LOCK_FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # the owner is just writing it
