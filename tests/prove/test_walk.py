"""A walk finds no difference, is the same every time, and does find one where the program and the model differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from chorale.domain.model import deciding, paying, writing
from chorale.domain.model.run import TOKEN_PROGRAM
from chorale.domain.model.values import TokenAccount
from tests.prove import __main__ as command
from tests.prove.__main__ import Dice
from tests.prove.coverage import EXPECTED, Coverage
from tests.prove.profiles import PROFILES, Profile
from tests.prove.scene import Difference
from tests.prove.walk import Walk

STEPS = 250


def walked(profile: Profile, steps: int = STEPS, seed: int = 4) -> Walk:
    """A walk of so many calls."""
    walk, dice = Walk(profile), Dice(seed, 0)
    while walk.calls < steps:
        walk.step(dice)
    return walk


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_kind_of_world_agrees_to_its_end(profile: Profile) -> None:
    """Calls right and wrong, events beside them, and at last everything owed paid out."""
    walk = walked(profile)
    walk.finish()
    assert walk.calls >= STEPS


def test_a_seed_names_a_walk() -> None:
    """The same seed leads through the same steps, another through others."""
    steps = walked(PROFILES[0], 60).scene.steps
    assert walked(PROFILES[0], 60).scene.steps == steps
    assert walked(PROFILES[0], 60, seed=5).scene.steps != steps


SABOTAGES: list[tuple[Any, str, Callable[..., Any]]] = [
    (deciding, "evaluated", lambda thread, message: "undecided"),
    (deciding, "_open", lambda run, message: None),
    (writing, "publish", lambda thread, message: None),
    (paying, "is_destination", lambda *_: None),
    (paying, "is_vault", lambda *_: None),
    (writing, "touched_active", lambda thread, now: thread.sequence),
]


@pytest.mark.parametrize(("module", "rule", "broken"), SABOTAGES, ids=[name for _, name, _ in SABOTAGES])
def test_a_rule_that_differs_is_found(
    monkeypatch: pytest.MonkeyPatch, module: Any, rule: str, broken: Callable[..., Any]
) -> None:
    """With one rule of the model gone, a walk ends in a difference."""
    monkeypatch.setattr(module, rule, broken)
    with pytest.raises(Difference):
        walked(PROFILES[0], 2_000)


def test_an_account_that_differs_is_found() -> None:
    """One token more in an account that no step names is seen by the full audit."""
    walk = walked(PROFILES[0], 40)
    key = walk.scene.foreign_account(walk.scene.wallets[0])
    state = walk.scene.world.states[key]
    assert isinstance(state.value, TokenAccount)
    assert state.owner == TOKEN_PROGRAM
    state.value.amount += 1
    walk.scene.chain.put(key, state)
    with pytest.raises(Difference, match="first difference at 64"):
        walk.audit.full()
    with pytest.raises(Difference, match="all token accounts together"):
        walk.audit.tokens()


def test_a_difference_is_reported_with_the_way_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What differed, the fewest steps that lead there, the seed and the command that shows it again."""
    monkeypatch.setattr(deciding, "evaluated", lambda thread, message: "undecided")
    with pytest.raises(SystemExit):
        for world in range(20):
            command.walk(3, world, 450, Coverage())
    shown = capsys.readouterr().out
    assert "DIFFERENCE" in shown
    assert "make prove SEED=3 WORLD=" in shown
    steps = re.findall(r"^ +\d+ (\w+)\(", shown, flags=re.MULTILINE)
    assert steps[-1] in ("cast_vote", "resolve")
    assert len(steps) < 40


def test_a_run_that_has_not_met_everything_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A few steps are not enough: the cells that were missed are named, and the command fails."""
    monkeypatch.setattr("sys.argv", ["prove", "--steps", "30", "--seed", "2"])
    assert command.main() == 1
    assert "never reached: cast_vote published" in capsys.readouterr().out


def test_the_table_has_every_instruction() -> None:
    """Each of the program's instructions has its outcomes, and a cell outside the table is noticed."""
    coverage = Coverage()
    coverage.add("sweep", "an outcome that nobody thought of")
    assert coverage.unforeseen == [("sweep", "an outcome that nobody thought of")]
    assert len(EXPECTED) == 14 + 1
