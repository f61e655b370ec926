"""Figures as Markdown: percentiles, spreads and ratios."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` is 0 to 1."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figure(value: float) -> str:
    """Three significant digits, thousands in groups."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def spread(values: Sequence[float]) -> str:
    """`min / median / max`."""
    return " / ".join(figure(value) for value in (min(values), median(values), max(values)))


def ratios(values: Sequence[float], others: Sequence[float]) -> str:
    """Spread of `values` over `others`, pair by pair: what was measured side by side is compared side by side."""
    return spread([value / other for value, other in zip(values, others, strict=True)])


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    marks = ["---"] + ["---:"] * (len(columns) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in (columns, marks, *rows))


def machine() -> str:
    """The machine in a line."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
