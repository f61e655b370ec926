"""Compute units stay below their aims, and what costs more than the committed table says needs a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import compute_units
from bench.compute_units import aim, measure
from bench.unit_cases import ALONE, IN_THREADS, SIZES
from bench.unit_table import Cell, Table, parse, render, rises
from tests.program.harness import Harness


@pytest.fixture(scope="module")
def measured() -> Table:
    """What every case of the table costs, over a few sets of keys."""
    Harness()  # skips where LiteSVM or the program is missing
    return measure(sets=3)


def test_every_case_is_below_its_aim(measured: Table) -> None:
    """30,000 units in threads of up to 8 co-authors, 150,000 in full ones."""
    assert set(measured) == {*ALONE, *IN_THREADS}
    for case, cells in measured.items():
        assert cells, case
        for size, cell in cells.items():
            assert cell.dearest < aim(size), (case, size)


def test_the_document_is_read_as_it_is_written() -> None:
    """Cells with one number, with two and with none, and the reasons."""
    table: Table = {"expire": {1: Cell(1_051, 1_051), 64: Cell(1_051, 12_000)}, "cast_vote, denies": {8: Cell(7, 8)}}
    assert parse(render(table, ["a", "b"], sets=3)) == (table, ["a", "b"])
    assert parse(render(table, [], sets=3)) == (table, [])
    assert parse("") == ({}, [])
    assert set(SIZES) == {1, 8, 64}


def test_rises_are_told() -> None:
    """A higher median and a higher maximum, each with its numbers; what fell and what is new is no rise."""
    before: Table = {"sweep": {1: Cell(5, 9), 8: Cell(5, 9), 64: Cell(5, 9)}}
    after: Table = {"sweep": {1: Cell(6, 9), 8: Cell(4, 10), 64: Cell(4, 9)}, "cancel": {1: Cell(1, 1)}}
    assert rises(before, after) == ["sweep, 1 co-authors: 5 / 9 to 6 / 9.", "sweep, 8 co-authors: 5 / 9 to 4 / 10."]


@pytest.mark.parametrize("option", ["--check", "--write"])
def test_a_rise_without_a_reason_fails(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither passes the check nor is written; with a reason it is, and the reason stays."""
    document = tmp_path / "compute-units.md"
    cheaper: Table = {"sweep": {1: Cell(5, 5)}}
    document.write_text(render(cheaper, [], sets=compute_units.SETS_OF_KEYS))
    monkeypatch.setattr(compute_units, "DOCUMENT", document)
    monkeypatch.setattr(compute_units, "measure", lambda: {"sweep": {1: Cell(6, 6)}})

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["compute_units", *arguments])
        return compute_units.main()

    assert run(option) == 1
    assert "sweep, 1 co-authors: 5 to 6." in capsys.readouterr().err
    assert run("--write", "--because", "Checks more.") == 0
    assert "- sweep, 1 co-authors: 5 to 6. Checks more." in document.read_text()
    assert run("--check") == 0
