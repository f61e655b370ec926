"""Compute units stay within their ceilings: 150,000 in the worst case, 30,000 in common ones."""

from __future__ import annotations

import pytest

from bench.compute_units import COMMON, WORST, measure
from tests.program.harness import Harness


@pytest.fixture(scope="module")
def units() -> dict[str, int]:
    """What every case of the table costs."""
    Harness()  # skips where LiteSVM or the program is missing
    return measure()


@pytest.mark.parametrize("case", [*COMMON, *WORST])
def test_ceiling(units: dict[str, int], case: str) -> None:
    """The most that a case cost over its samples is below its ceiling."""
    assert units[case] < (COMMON | WORST)[case]
