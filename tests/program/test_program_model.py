"""The compiled program and the plain model take the same steps: same outcomes, errors, balances and bytes.

Every step of the state machine is a step of `make prove`; here Hypothesis chooses, so that a failure shrinks.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.prove.profiles import PROFILES, Profile
from tests.prove.walk import Walk

WORLDS = 42
STEPS_PER_WORLD = 100


class Drawn:
    """Choices that Hypothesis makes."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        return self._data.draw(st.integers(0, count - 1))


class ProgramBesideModel(RuleBasedStateMachine):
    """One world after the other, each of any kind. `Walk` compares after every step."""

    taken = 0
    walk: Walk | None = None

    @initialize(profile=st.sampled_from(PROFILES))
    def begin(self, profile: Profile) -> None:
        """A chain with the program and wallets, and the model of it."""
        self.walk = Walk(profile)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        """Whatever can happen: a call, right or wrong, or something that happens beside."""
        assert self.walk is not None
        self.walk.step(Drawn(data))

    def teardown(self) -> None:
        """Whatever has happened, everything owed can be paid."""
        if self.walk is not None:
            ProgramBesideModel.taken += self.walk.calls
            self.walk.finish()


def test_the_program_does_as_the_model() -> None:
    """At least 2,000 calls in worlds of every kind, and the end of each."""
    ProgramBesideModel.taken = 0
    run_state_machine_as_test(
        ProgramBesideModel,
        settings=settings(
            max_examples=WORLDS,
            stateful_step_count=STEPS_PER_WORLD,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert ProgramBesideModel.taken >= 2_000
