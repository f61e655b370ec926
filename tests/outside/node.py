"""Runs compiled TypeScript programs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

TIMEOUT = 90


def run(script: Path, **environ: str) -> Any:
    """What a program prints at its end; its failure fails the test with what it says."""
    kept = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    ended = subprocess.run(
        ["node", script], env=kept | environ, cwd=script.parent, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout)
