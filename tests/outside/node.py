"""Compiles and runs TypeScript programs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chains import ROOT

TIMEOUT = 90


def compiled(package: Path) -> Path:
    """A Node package, compiled; the test skips where Node or the package's own packages are missing."""
    if shutil.which("node") is None:
        pytest.skip("node is missing: install Node.js")
    compiler = package / "node_modules" / ".bin" / "tsc"
    if not compiler.exists():
        pytest.skip(f"Node packages are missing: npm ci in {package.relative_to(ROOT)}")
    with (package / "tsconfig.json").open() as config:
        # Processes of one run share the package: the first compiles, and the next find nothing to write.
        fcntl.flock(config, fcntl.LOCK_EX)
        built = subprocess.run([compiler], cwd=package, capture_output=True, text=True, timeout=TIMEOUT)
    assert built.returncode == 0, built.stdout
    return package


def run(script: Path, **environ: str) -> Any:
    """What a program prints at its end; its failure fails the test with what it says."""
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    ended = subprocess.run(
        ["node", script], env=kept | environ, cwd=script.parent, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)
