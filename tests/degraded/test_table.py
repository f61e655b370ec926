"""The table in the documentation holds what the tests of this folder assert, cell by cell."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.degraded.cells import CELLS, STATES, SYSTEMS, table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "degraded.md"
MODULES = ("test_solana", "test_qdrant", "test_backend", "test_frontend")


def test_every_cell_has_a_test_and_stands_in_the_documentation() -> None:
    """`python -m tests.degraded` writes the table anew."""
    for name in MODULES:
        import_module(f"tests.degraded.{name}")
    assert set(CELLS) == {(system, state) for system in SYSTEMS for state in STATES}
    assert table() in PAGE.read_text("utf-8")
