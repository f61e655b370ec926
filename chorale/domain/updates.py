"""The update sequence as data: four timed steps, an outcome, and refusals that are values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Authority(StrEnum):
    """The four systems, each the authority of its own state."""

    SOLANA = "SOLANA"
    QDRANT = "QDRANT"
    BACKEND = "BACKEND"
    FRONTEND = "FRONTEND"


class StepName(StrEnum):
    """The four steps, in order."""

    UPDATE_AUTHORITY = "UPDATE_AUTHORITY"
    AWAIT_CONFIRMATION = "AWAIT_CONFIRMATION"
    PROPAGATE = "PROPAGATE"
    VERIFY = "VERIFY"


class StepState(StrEnum):
    """Progress of one step."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"


class Outcome(StrEnum):
    """Where an update stands. UNKNOWN is not failure: it is settled later as one of the others."""

    RUNNING = "RUNNING"
    CONFIRMED = "CONFIRMED"
    VERIFIED = "VERIFIED"
    DIVERGED = "DIVERGED"
    UNKNOWN = "UNKNOWN"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in (Outcome.VERIFIED, Outcome.DIVERGED, Outcome.REJECTED, Outcome.EXPIRED)


@dataclass(frozen=True, slots=True)
class Step:
    """One step with its duration in milliseconds (None until it ended)."""

    name: StepName
    state: StepState
    duration_ms: float | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class UpdateState:
    """What is known of one update; `steps` holds all four. `cursor` is the event cursor behind its last event."""

    signature: str
    slot: int | None
    outcome: Outcome
    steps: tuple[Step, ...]
    cursor: str | None = None
    client_mutation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An expected refusal as data. `problem` names the GraphQL Problem type; the rest fills its fields."""

    problem: str
    code: str
    explanation: str
    retryable: bool = False
    field: str | None = None
    expected: str | None = None
    actual: str | None = None
    minimum: int | None = None
    logs: tuple[str, ...] = ()
    program_error_code: int | None = None
    authority: Authority | None = None


class RefusedError(Exception):
    """Carries a Refusal out of nested steps to the mutation's resolver."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.explanation)
        self.refusal = refusal
