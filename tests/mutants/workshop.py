"""A copy of the program's sources with a target folder of its own, where mutants are built one after the other.

Workshops stay where they are: what the first build made of core and the dependencies serves every later run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.mutants.operators import Mutant

PROGRAMS = Path(__file__).resolve().parents[2] / "programs"
CRATE = PROGRAMS / "chorale"
TOOLS = ("/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/opt-22", "/usr/bin/llc-22")
_WORKSHOPS = CRATE / "target" / "mutants"
_MOST_WORKSHOPS = 64
_BUILD_SECONDS = 600


class NotBuilt(Exception):
    """The compiler refused the change; the message is what it said."""


class Workshop:
    """The first workshop that nobody uses. Its very first build takes half a minute, each further one a few seconds."""

    def __init__(self) -> None:
        folder = self._taken()
        self._programs, self._target = folder / "programs", folder / "target"
        shutil.rmtree(self._programs, ignore_errors=True)
        self._programs.mkdir()
        for name in ("build", "relink.py"):
            shutil.copy(PROGRAMS / name, self._programs / name)
        # With the time of now: cargo would take an older source than its last build, a mutant's, for that one's.
        ignored = shutil.ignore_patterns("target")
        shutil.copytree(CRATE, self._programs / "chorale", ignore=ignored, copy_function=shutil.copy)

    def _taken(self) -> Path:
        for number in range(_MOST_WORKSHOPS):
            folder = _WORKSHOPS / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("w")  # held for as long as this process lives
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
            else:
                return folder
        raise RuntimeError(f"all {_MOST_WORKSHOPS} workshops in {_WORKSHOPS} are taken")

    def build(self, mutant: Mutant | None = None) -> Path:
        """The program with the mutant's change, or as it is. Raises NotBuilt."""
        if mutant is None:
            return self._make()
        path = self._programs / "chorale" / "src" / mutant.file
        source = path.read_text()
        path.write_text(mutant.applied(source))
        try:
            return self._make()
        finally:
            path.write_text(source)

    def _make(self) -> Path:
        environ = os.environ | {"CARGO_TARGET_DIR": str(self._target)}
        made = subprocess.run(
            [self._programs / "build"], env=environ, capture_output=True, text=True, timeout=_BUILD_SECONDS
        )
        if made.returncode:
            raise NotBuilt(made.stderr)
        return self._programs / "chorale.so"
