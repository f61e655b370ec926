"""The update sequence as a client sees it: an outcome and four timed steps."""

from __future__ import annotations

import strawberry

from chorale.domain.updates import UpdateState
from schema.enums import Outcome, StepName, StepState
from schema.scalars import Cursor, Signature, Slot


@strawberry.type(description="One of the four steps of an update.")
class UpdateStep:
    """An embedded value."""

    name: StepName = strawberry.field(description="Which step.")
    state: StepState = strawberry.field(description="How far it is.")
    duration_ms: float | None = strawberry.field(description="How long it took, in milliseconds; null until it ended.")
    detail: str | None = strawberry.field(description="Why it failed, or what is worth knowing.")


@strawberry.type(
    description="What is known of one update: authority first, then its confirmation, then everything derived, then a "
    "reading back of all of it."
)
class StateUpdate:
    """Named by the transaction's signature."""

    signature: Signature = strawberry.field(description="The transaction.")
    slot: Slot | None = strawberry.field(description="The slot it landed in; null while that is not known.")
    outcome: Outcome = strawberry.field(description="Where the update stands.")
    steps: list[UpdateStep] = strawberry.field(description="Always all four steps, in order.")
    cursor: Cursor | None = strawberry.field(
        description="Behind the update's last event: subscribe to `threadEvents` after it to skip one's own echo."
    )
    client_mutation_id: str | None = strawberry.field(description="What the client sent along, unchanged.")

    @classmethod
    def of(cls, state: UpdateState) -> StateUpdate:
        """The update as the sequence reports it."""
        return cls(
            signature=Signature(state.signature),
            slot=None if state.slot is None else Slot(state.slot),
            outcome=state.outcome,
            steps=[
                UpdateStep(name=step.name, state=step.state, duration_ms=step.duration_ms, detail=step.detail)
                for step in state.steps
            ],
            cursor=None if state.cursor is None else Cursor(state.cursor),
            client_mutation_id=state.client_mutation_id,
        )
