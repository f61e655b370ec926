"""An update counts once for each outcome that it comes to, however often it is kept, and its propagation once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chorale.domain.updates import Outcome, StepName, StepState, UpdateState
from chorale.update.log import UpdateFacts, UpdateLog, begun
from datasources.cache.sessions import open_sessions
from datasources.metrics import PrometheusMeasures

SIGNATURE = "5" * 64


def at(outcome: Outcome, propagate: StepState = StepState.WAITING, duration: float | None = None) -> UpdateState:
    """A state with that outcome and that third step."""
    state = begun(SIGNATURE)
    steps = tuple(
        replace(step, state=propagate, duration_ms=duration) if step.name is StepName.PROPAGATE else step
        for step in state.steps
    )
    return replace(state, outcome=outcome, steps=steps)


async def test_outcomes_are_counted_once(tmp_path: Path) -> None:
    """Not seen in time, kept twice, then verified after 40 ms of propagation, and kept again."""
    measures = PrometheusMeasures()
    facts = UpdateFacts(SIGNATURE, "wallet", None, None)
    async with open_sessions("memory:", tmp_path / "sessions.sqlite3") as sessions:
        log = UpdateLog(sessions, 60, measures)
        for state in (
            at(Outcome.RUNNING),
            at(Outcome.UNKNOWN),
            at(Outcome.UNKNOWN),
            at(Outcome.CONFIRMED, StepState.FAILED, 9_000.0),
            at(Outcome.VERIFIED, StepState.DONE, 40.0),
            at(Outcome.VERIFIED, StepState.DONE, 40.0),
        ):
            await log.keep(facts, state)
    page = measures.page()[0].decode()
    counted = {outcome: f'chorale_updates_total{{outcome="{outcome}"}}' for outcome in tuple(Outcome)[1:]}
    expected = {Outcome.UNKNOWN: 1.0, Outcome.CONFIRMED: 1.0, Outcome.VERIFIED: 1.0}
    for outcome, name in counted.items():
        assert f"\n{name} {expected.get(outcome, 0.0)}\n" in page
    spread = measures.now().propagation_time
    assert (spread.count, spread.p50) == (1, 0.04)
