"""A copy of the program's sources with a target folder of its own, where mutants are built one after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.mutants.operators import Mutant

PROGRAMS = Path(__file__).resolve().parents[2] / "programs"
CRATE = PROGRAMS / "chorale"
TOOLS = ("/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/opt-22", "/usr/bin/llc-22")
_BUILD_SECONDS = 240


class NotBuilt(Exception):
    """The compiler refused the change; the message is what it said."""


class Workshop:
    """Builds in `folder`. The first build takes half a minute, each further one a few seconds."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "programs"
        self._target = folder / "target"
        self._programs.mkdir(parents=True)
        for name in ("build", "relink.py"):
            shutil.copy2(PROGRAMS / name, self._programs / name)
        shutil.copytree(CRATE, self._programs / "chorale", ignore=shutil.ignore_patterns("target"))

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
