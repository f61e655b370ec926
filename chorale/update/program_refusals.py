"""The program's errors as refusals: which Problem each of them is, to one who has sent or is about to sign."""

from __future__ import annotations

from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Refusal

_REJECTED = "TransactionRejected"
_PROBLEMS = {
    ProgramError.UNAUTHORIZED: "TransactionInvalid",
    ProgramError.INVALID_INSTRUCTION_DATA: "TransactionInvalid",
    ProgramError.NOT_A_CO_AUTHOR: "NotACoAuthor",
    ProgramError.ALREADY_A_CO_AUTHOR: "AlreadyACoAuthor",
    ProgramError.STAKE_TOO_LOW: "StakeTooLow",
    **dict.fromkeys(
        (
            ProgramError.ALREADY_VOTED,
            ProgramError.OWN_MESSAGE,
            ProgramError.NOT_PENDING,
            ProgramError.WINDOW_CLOSED,
            ProgramError.WINDOW_OPEN,
            ProgramError.HAS_VOTES,
            ProgramError.NOTHING_OWED,
            ProgramError.NOT_A_DENIER,
            ProgramError.ALREADY_CLAIMED,
            ProgramError.PAYOUT_TOO_LOW,
            ProgramError.EXPIRES_TOO_LATE,
            ProgramError.TREE_FULL,
            ProgramError.THREAD_FULL,
        ),
        "NotAllowedNow",
    ),
}
_EVERYWHERE = frozenset({"InsufficientFunds", "TransactionInvalid", "TransactionExpired"})
_FORETOLD = frozenset({"NotACoAuthor", "AlreadyACoAuthor", "StakeTooLow", "NotAllowedNow"})
_RETRYABLE = frozenset({ProgramError.WINDOW_OPEN, ProgramError.THREAD_FULL})


def from_program(
    error: ProgramError, offered: frozenset[str], *, logs: tuple[str, ...] = (), minimum_stake: int | None = None
) -> Refusal:
    """What a refusal of the program means to a caller whose result offers these problems beside those of all; where
    the fitting one is not among them, the rejection itself is shown."""
    problem = _PROBLEMS.get(error, _REJECTED)
    if problem not in _EVERYWHERE and problem not in offered:
        problem = _REJECTED
    return _refusal(error, problem, logs, minimum_stake)


def foretold(error: ProgramError, *, minimum_stake: int | None = None) -> Refusal:
    """What the program would say, to one who has signed nothing yet."""
    problem = _PROBLEMS.get(error, _REJECTED)
    return _refusal(error, problem if problem in _FORETOLD else "NotAllowedNow", (), minimum_stake)


def _refusal(error: ProgramError, problem: str, logs: tuple[str, ...], minimum_stake: int | None) -> Refusal:
    return Refusal(
        problem,
        error.name,
        error.explanation,
        retryable=error in _RETRYABLE,
        minimum=minimum_stake if problem == "StakeTooLow" else None,
        logs=logs,
        program_error_code=error.value,
    )
