"""Fails where a committed file names a folder of somebody's machine or a package registry's host."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:work|farm|root|home/\w+|Users/\w+)/")
REGISTRY = re.compile(rb"(?:files\.pythonhosted|registry\.npmjs|pypi|static\.crates|index\.crates)\.(?:org|io)")
EXEMPT = {"tests/house/clean_tree.py"}  # it names what it looks for


def main() -> int:
    """Print each offending line; the exit code says whether there was one."""
    tracked = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True).stdout.split(b"\0")
    found = 0
    for name in filter(None, (raw.decode() for raw in tracked)):
        path = Path(name)
        if name in EXEMPT or name.startswith("resolvers/static/") or not path.is_file():
            continue
        data = path.read_bytes()
        for pattern, what in ((MACHINE_PATH, "a path of one machine"), (REGISTRY, "a registry's host")):
            for match in pattern.finditer(data):
                found += 1
                line = data.count(b"\n", 0, match.start()) + 1
                print(f"{name}:{line}: {what}: {match.group().decode(errors='replace')}")
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main())
