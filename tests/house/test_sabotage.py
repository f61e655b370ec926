"""The program's tests notice a rule that is gone: with each deleted from a copy of the source, its test turns red."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chains import ROOT
from tests.program import test_program_votes as votes
from tests.program.harness import Harness
from tests.program.stage import Stage

_TOOLS = ("/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/opt-22", "/usr/bin/llc-22")
_CAST_VOTE = "chorale/src/instructions/cast_vote.rs"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program's sources. All rules are deleted in the same place, so that only the first takes long."""
    missing = [tool for tool in _TOOLS if not Path(tool).exists()]
    if missing:
        pytest.skip(f"{missing[0]} is missing: apt-get install rustc-web cargo-web rust-web-src llvm-22")
    programs = tmp_path_factory.mktemp("workshop") / "programs"
    programs.mkdir()
    for name in ("build", "relink.py"):
        shutil.copy2(ROOT / "programs" / name, programs / name)
    shutil.copytree(ROOT / "programs" / "chorale", programs / "chorale", ignore=shutil.ignore_patterns("target"))
    return programs


def build_without(rule: str, programs: Path) -> Path:
    """The program without `rule`."""
    original = (ROOT / "programs" / _CAST_VOTE).read_text()
    assert original.count(rule) == 1, f"{_CAST_VOTE} has no such rule any more: {rule}"
    (programs / _CAST_VOTE).write_text(original.replace(rule, ""))
    environ = os.environ | {"CARGO_TARGET_DIR": str(programs / "target")}
    made = subprocess.run([programs / "build"], env=environ, capture_output=True, text=True, timeout=200)
    assert made.returncode == 0, made.stderr
    return programs / "chorale.so"


CO_AUTHOR = """        if seat_of(thread.items, voter).is_none() {
            return Err(NotACoAuthor.into());
        }
"""
ONE_VOTE = """        if vote_of(message.items, voter).is_some() {
            return Err(AlreadyVoted.into());
        }
"""
OWN_MESSAGE = """        if same(voter, &message.fields.author) {
            return Err(OwnMessage.into());
        }
"""


WINDOW = """        message.fields.check_open(now)?;
"""


@pytest.mark.sabotage
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("rule", "test"),
    [
        pytest.param(CO_AUTHOR, votes.test_an_outsiders_vote_is_refused, id="only co-authors vote"),
        pytest.param(ONE_VOTE, votes.test_votes_are_cast_once_and_never_on_ones_own, id="one vote each"),
        pytest.param(OWN_MESSAGE, votes.test_votes_are_cast_once_and_never_on_ones_own, id="not on one's own"),
        pytest.param(WINDOW, votes.test_the_window_closes_at_expires_at, id="while the window is open"),
    ],
)
def test_a_deleted_rule_turns_its_test_red(workshop: Path, rule: str, test: Callable[[Stage], None]) -> None:
    """The very test that is green on the committed program fails on the copy."""
    stage = Stage(Harness(program_file=build_without(rule, workshop)))
    with pytest.raises(AssertionError):
        test(stage)
