"""A data directory has one owner at a time; a second process is told who and where, and a dead owner blocks nobody."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chorale.domain.errors import StartupError
from chorale.process.data_directory import DirectoryInUseError, holder_of, own
from tests.chains import ROOT
from tests.patience import PATIENCE

OWNER = """
import sys, pathlib
from chorale.process.data_directory import own
with own(pathlib.Path(sys.argv[1]), "chorale serve") as ownership:
    ownership.announce("http://127.0.0.1:8123")
    print("owned", flush=True)
    sys.stdin.read()
"""


def owner_process(path: Path) -> "subprocess.Popen[str]":
    """A real process that owns `path` and has announced its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "owned\n"
    return process


def test_second_process_is_told_where_the_first_is(tmp_path: Path) -> None:
    """The refusal names the owner's command, process and address, and the cure."""
    data = tmp_path / "new" / "data"
    process = owner_process(data)
    try:
        with pytest.raises(DirectoryInUseError) as caught, own(data, "chorale demo", wait=0):
            pass
        text = str(caught.value)
        for part in (str(data), "chorale serve", str(process.pid), "http://127.0.0.1:8123", "CHORALE_DATA"):
            assert part in text
        holder = holder_of(data)
        assert holder is not None
        assert (holder.pid, holder.address) == (process.pid, "http://127.0.0.1:8123")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert holder_of(data) is None
    with own(data, "chorale serve", wait=5):
        pass


def test_ownership_ends_with_the_block(tmp_path: Path) -> None:
    """After the block the directory is free again, and its files are its user's alone."""
    data = tmp_path / "data"
    with own(data, "chorale serve"):
        assert holder_of(data) is not None
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "lock").stat().st_mode) == 0o600
    assert holder_of(data) is None


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """The error names the folder and the variable."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match="CHORALE_DATA"), own(tmp_path / "file" / "data", "chorale serve"):
        pass
    if os.getuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(StartupError, match="CHORALE_DATA"), own(tmp_path / "locked" / "data", "chorale serve"):
            pass


def test_the_chains_files_are_private_in_an_open_folder(tmp_path: Path) -> None:
    """A folder that was there before and is open to everybody gets files that only their owner reads."""
    tmp_path.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHORALE_")}
    command = [sys.executable, "-m", "chorale", "localnet"]
    environ |= {"CHORALE_DATA": str(tmp_path), "CHORALE_CHAIN_RPC_PORT": "0"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("RPC:")
        made = list(tmp_path.rglob("*"))
        assert made
        assert [path for path in made if path.stat().st_mode & 0o077] == []
    finally:
        process.terminate()
        process.communicate(timeout=20)
