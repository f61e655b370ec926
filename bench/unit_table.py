"""The table of compute units as Markdown, and back: what rose is found by comparing two of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

from bench.unit_cases import SIZES

_ROW = re.compile(r"^\| (?P<case>[a-z_]+(?:, [^|]+)?) \|(?P<cells>(?: [\d,/ –]+ \|)+)$", re.M)
_REASONS = "## What has risen, and why"
_NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """Units of one case at one size: the median over sets of keys, and the most."""

    usual: int
    dearest: int

    @classmethod
    def of(cls, costs: Sequence[int]) -> Cell:
        """Over these samples."""
        return cls(median_low(costs), max(costs))

    def __str__(self) -> str:
        return f"{self.usual:,}" if self.usual == self.dearest else f"{self.usual:,} / {self.dearest:,}"


Table = dict[str, dict[int, Cell]]


def render(table: Table, reasons: Sequence[str], *, sets: int) -> str:
    """The document."""
    lines = [
        "# Compute units",
        "",
        f"Made by `python -m bench.compute_units --write`: the compiled program in LiteSVM, {sets} fixed sets of keys,",
        "in threads of 1, 8 and 64 co-authors with as many votes. Two numbers are the median and the highest: sets",
        "differ because finding an address costs 1,500 units per try, and every second try fails. A full thread takes",
        "neither submissions nor new co-authors, so submitting and publishing stand for 63 in the last column.",
        "",
        "The aim is less than 30,000 with up to 8 co-authors, and less than 150,000 with 64. Agave's validator charges",
        "54 units less for every call of another program and up to 6 less for reading the rent; nothing else differs,",
        "as the scenario in `tests/program/scenario` shows step by step.",
        "",
        "| Instruction, case | " + " | ".join(str(size) for size in SIZES) + " |",
        "| --- |" + " ---: |" * len(SIZES),
    ]
    for case, cells in table.items():
        shown = (str(cells[size]) if size in cells else _NOTHING for size in SIZES)
        lines.append(f"| {case} | " + " | ".join(shown) + " |")
    if reasons:
        lines += ["", _REASONS, "", *(f"- {reason}" for reason in reasons)]
    return "\n".join(lines) + "\n"


def parse(text: str) -> tuple[Table, list[str]]:
    """Numbers and reasons of a document; nothing of one that is no such document."""
    table: Table = {}
    for row in _ROW.finditer(text):
        cells = [cell.strip() for cell in row["cells"].strip().strip("|").split("|")]
        if len(cells) == len(SIZES):
            table[row["case"]] = {
                size: _cell(cell) for size, cell in zip(SIZES, cells, strict=True) if cell != _NOTHING
            }
    _, _, listed = text.partition(_REASONS)
    return table, [line[2:] for line in listed.splitlines() if line.startswith("- ")]


def rises(before: Table, after: Table) -> list[str]:
    """One line for every number that is higher than before."""
    return [
        f"{case}, {size} co-authors: {old} to {new}."
        for case, cells in after.items()
        for size, new in cells.items()
        if (old := before.get(case, {}).get(size)) and (new.usual > old.usual or new.dearest > old.dearest)
    ]


def _cell(text: str) -> Cell:
    numbers = [int(number.replace(",", "")) for number in text.split(" / ")]
    return Cell(numbers[0], numbers[-1])
