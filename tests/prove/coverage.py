"""Which outcomes each instruction can have, and which of them a run has met."""

from __future__ import annotations

from collections import Counter

from chorale.domain.model.world import Outcome

_FAULTS = "INVALID_ACCOUNT INVALID_INSTRUCTION_DATA"
_DECISIONS = "published, denied, split, blocked, undecided"
_WAYS = "paid, paid elsewhere"

# Kinds of success, divided by commas; errors of the program and of the programs that it calls, divided by spaces.
_CELLS = {
    "initialize": ("done, freezable", "UNAUTHORIZED PARAMETER_OUT_OF_RANGE FREEZABLE_MINT INSUFFICIENT_FUNDS"),
    "configure": ("same admin, new admin", "UNAUTHORIZED PARAMETER_OUT_OF_RANGE MATH_OVERFLOW"),
    "withdraw_treasury": (
        "paid",
        "UNAUTHORIZED PARAMETER_OUT_OF_RANGE INVALID_DESTINATION MATH_OVERFLOW INSUFFICIENT_FUNDS ACCOUNT_FROZEN",
    ),
    "create_thread": ("made, made over lamports", "UNAUTHORIZED INSUFFICIENT_FUNDS"),
    "post_message": (
        "published, published over lamports",
        "UNAUTHORIZED NOT_A_CO_AUTHOR TREE_FULL MATH_OVERFLOW INSUFFICIENT_FUNDS",
    ),
    "submit_message": (
        "pending, pending over lamports",
        "UNAUTHORIZED ALREADY_A_CO_AUTHOR STAKE_TOO_LOW EXPIRES_TOO_LATE TREE_FULL THREAD_FULL MATH_OVERFLOW "
        "INSUFFICIENT_FUNDS ACCOUNT_FROZEN",
    ),
    "cast_vote": (
        f"{_DECISIONS}, published beyond the room, denied beyond the room, split beyond the room, "
        "blocked beyond the room, undecided beyond the room",
        "UNAUTHORIZED NOT_A_CO_AUTHOR ALREADY_VOTED OWN_MESSAGE NOT_PENDING WINDOW_CLOSED MATH_OVERFLOW "
        "INSUFFICIENT_FUNDS",
    ),
    "resolve": (f"{_DECISIONS}, expired", "UNAUTHORIZED NOT_PENDING WINDOW_CLOSED MATH_OVERFLOW"),
    "expire": ("expired, expired with votes", "NOT_PENDING WINDOW_OPEN MATH_OVERFLOW"),
    "cancel": ("cancelled", "UNAUTHORIZED NOT_PENDING WINDOW_CLOSED HAS_VOTES MATH_OVERFLOW"),
    "refund": (_WAYS, "UNAUTHORIZED NOTHING_OWED INVALID_DESTINATION MATH_OVERFLOW ACCOUNT_FROZEN"),
    "claim": (
        f"{_WAYS}, paid to one who left, paid elsewhere to one who left",
        "NOTHING_OWED NOT_A_DENIER ALREADY_CLAIMED INVALID_DESTINATION MATH_OVERFLOW ACCOUNT_FROZEN",
    ),
    "divest": (
        "left, left with nothing, last one stays, last one stays with nothing",
        "UNAUTHORIZED NOT_A_CO_AUTHOR PAYOUT_TOO_LOW INVALID_DESTINATION MATH_OVERFLOW INSUFFICIENT_FUNDS "
        "ACCOUNT_FROZEN",
    ),
    "sweep": ("due, unasked, due and unasked", "NOTHING_OWED MATH_OVERFLOW ACCOUNT_FROZEN"),
}
EXPECTED = {name: (*kinds.split(", "), *_FAULTS.split(), *errors.split()) for name, (kinds, errors) in _CELLS.items()}
EXPECTED["(unknown)"] = ("INVALID_INSTRUCTION_DATA",)
# Only where a vault was short from the start, which the rules never leave one: met by chance.
OPTIONAL = frozenset({("refund", "INSUFFICIENT_FUNDS"), ("claim", "INSUFFICIENT_FUNDS")})


class Coverage:
    """Counts outcomes by instruction."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, outcome: Outcome) -> None:
        """One more call."""
        self.counts[name, outcome if isinstance(outcome, str) else outcome.name] += 1

    @property
    def missing(self) -> list[tuple[str, str]]:
        """Cells that should have been reached and were not."""
        return [(name, cell) for name, cells in EXPECTED.items() for cell in cells if not self.counts[name, cell]]

    @property
    def unforeseen(self) -> list[tuple[str, str]]:
        """Cells that were reached and that the table does not have."""
        return [cell for cell in self.counts if cell[1] not in EXPECTED.get(cell[0], ()) and cell not in OPTIONAL]

    def table(self) -> str:
        """The table in Markdown: one line per instruction and outcome."""
        rows = ["| instruction | outcome | steps |", "| --- | --- | ---: |"]
        for name, cells in EXPECTED.items():
            optional = [cell for other, cell in sorted(OPTIONAL) if other == name and self.counts[name, cell]]
            for cell in (*cells, *optional):
                rows.append(f"| {name} | {_shown(cell)} | {self.counts[name, cell] or 'never'} |")
        return "\n".join(rows)


def _shown(cell: str) -> str:
    return "".join(part.capitalize() for part in cell.split("_")) if cell.isupper() else cell
