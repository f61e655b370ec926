"""What became of the mutants: the table, the kill rate, and those whose survival is explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.mutants.operators import Mutant
from tests.mutants.sabotages import SABOTAGES

_EXPLAINED = Path(__file__).with_name("equivalent.txt")


class Fate(Enum):
    """How a mutant ended. SAME_BINARY: the compiler made the very same program of it."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    SAME_BINARY = "same binary"
    NOT_BUILT = "not built"


@dataclass(frozen=True)
class Outcome:
    """One mutant's fate; `by` is the test that killed it, or what the compiler said. Seconds with its build."""

    mutant: Mutant
    fate: Fate
    by: str
    seconds: float


def explained() -> dict[str, str]:
    """Why mutants survive that nothing observable tells from the program, by name.

    The file has a name to a line, and its reason indented on the next.
    """
    lines = [line for line in _EXPLAINED.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return dict(zip(lines[::2], (reason.strip() for reason in lines[1::2]), strict=True))


def print_outcome(outcome: Outcome) -> None:
    """One line of the table."""
    mutant, by = outcome.mutant, outcome.by.rpartition("/")[2] if outcome.fate is Fate.KILLED else ""
    told = SABOTAGES.get(mutant.name, "")
    print(
        f"{outcome.fate.value:11} {outcome.seconds:5.1f} s  {mutant.file}:{mutant.line}  "
        f"{mutant.operator} {mutant.snippet}{f'  ({told})' if told else ''}{f'  <- {by}' if by else ''}",
        flush=True,
    )


def print_summary(outcomes: Sequence[Outcome], explanations: Mapping[str, str], threshold: float) -> int:
    """Prints the counts, the kill rate and every survivor. Returns the exit code."""
    fates = Counter(outcome.fate for outcome in outcomes)
    survivors = [o.mutant.name for o in outcomes if o.fate is Fate.SURVIVED]
    unexplained = [name for name in survivors if name not in explanations]
    stale = [o.mutant.name for o in outcomes if o.fate is not Fate.SURVIVED and o.mutant.name in explanations]
    judged = fates[Fate.KILLED] + len(unexplained)
    rate = 100 * fates[Fate.KILLED] / judged if judged else 100.0
    print()
    print(f"{len(outcomes)} mutants: {fates[Fate.KILLED]} killed, {len(unexplained)} survived unexplained,")
    print(f"{len(survivors) - len(unexplained)} equivalent for a stated reason, {fates[Fate.SAME_BINARY]} compiled to")
    print(f"the same binary, {fates[Fate.NOT_BUILT]} refused by the compiler")
    print(f"kill rate {rate:.1f} % ({fates[Fate.KILLED]} of {judged}); at least {threshold:g} % is asked for")
    for name in unexplained:
        print(f"survived: {name}")
    for name in stale:
        print(f"no longer survives, take it out of {_EXPLAINED.name}: {name}")
    return 1 if unexplained or stale or not judged or rate < threshold else 0
