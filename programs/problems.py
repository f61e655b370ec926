"""Which of the program's errors a node's answer carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chorale.domain.program_errors import ProgramError

BY_CODE: dict[int, ProgramError] = {error.value: error for error in ProgramError}


def program_error_of(error: Any, *, instruction_index: int | None = None) -> ProgramError | None:
    """Which error of the program an `err` JSON of simulation or status carries; None where it carries none.

    `instruction_index` is the place of the program's own instruction in the transaction; errors of others are not
    looked at then. (Programs that it calls number theirs far below 6000.)
    """
    index, code = custom_code(error)
    if code is None or (instruction_index is not None and index != instruction_index):
        return None
    return BY_CODE.get(code)


def lacks_funds(error: Any) -> bool:
    """Whether an `err` JSON says that a wallet has too few tokens or lamports for what it signed."""
    match error:
        case "InsufficientFundsForFee" | "AccountNotFound" | {"InsufficientFundsForRent": _}:
            return True
        case {"InstructionError": [_, "InsufficientFunds" | {"Custom": 1}]}:
            # Both the token and the system program call a short balance their error 1.
            return True
        case _:
            return False


def custom_code(error: Any) -> tuple[int | None, int | None]:
    """Instruction index and custom number of an `err` JSON such as `{"InstructionError": [1, {"Custom": 6003}]}`."""
    match error:
        case {"InstructionError": [int(index), {"Custom": int(code)}]}:
            return index, code
        case {"InstructionError": [int(index), _]}:
            return index, None
        case _:
            return None, None


def program_error_in_logs(logs: Sequence[str], program_id: str) -> ProgramError | None:
    """The error that the program's own failure line names, for answers that carry logs alone."""
    head = f"Program {program_id} failed: custom program error: 0x"
    for line in reversed(logs):
        if line.startswith(head):
            return BY_CODE.get(int(line[len(head) :], 16))
    return None
