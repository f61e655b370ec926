"""The table of `docs/degraded.md`: each cell is written beside the test that produces it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T", bound=Callable[..., object])

SYSTEMS = ("Solana", "Qdrant", "Backend", "Frontend")
STATES = ("down", "slow", "garbage", "stale")


@dataclass(frozen=True)
class Cell:
    """What a reader sees, what a writer sees, and how it ends; `test` produces it."""

    reader: str
    writer: str
    end: str
    test: str


CELLS: dict[tuple[str, str], Cell] = {}


def cell(system: str, state: str, *, reader: str, writer: str, end: str) -> Callable[[T], T]:
    """Says what the decorated test has asserted when it passes."""
    assert system in SYSTEMS and state in STATES

    def register(test: T) -> T:
        place = f"tests/degraded/{test.__module__.rpartition('.')[2]}.py::{test.__name__}"
        assert (system, state) not in CELLS, f"{place} is the second test of {system} {state}"
        CELLS[system, state] = Cell(reader, writer, end, place)
        return test

    return register


def table() -> str:
    """All cells in Markdown."""
    lines = [
        "| system | is | a reader sees | a writer sees | and then | test |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for system in SYSTEMS:
        for state in STATES:
            made = CELLS[system, state]
            row = (f"**{system}**", state, made.reader, made.writer, made.end, f"`{made.test.rpartition('::')[2]}`")
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)
