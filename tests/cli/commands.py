"""Running `chorale` as a process, for tests of the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.chains import ROOT


def chorale(*arguments: str, data: Path | None = None, **environ: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one run on free ports."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHORALE_")}
    clean |= {"CHORALE_PORT": "0", "CHORALE_CHAIN_RPC_PORT": "0", "CHORALE_DEMO": "0"}
    if data is not None:
        clean["CHORALE_DATA"] = str(data)
    done = subprocess.run(
        [sys.executable, "-m", "chorale", *arguments],
        cwd=ROOT,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, done.stdout, done.stderr


def refused(*arguments: str, data: Path | None = None, **environ: str) -> str:
    """The one line with which a command refuses to start, exit code 2 and no traceback."""
    code, out, err = chorale(*arguments, data=data, **environ)
    last = err.rstrip().split("\n")[-1]
    assert (code, out) == (2, ""), (code, out, err)
    assert last.startswith("chorale: "), err
    assert "Traceback" not in err
    assert err.count("chorale: ") == 1
    return last
