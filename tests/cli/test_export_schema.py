"""`export-schema` writes the schema that is committed, and `--check` tells where it is another."""

from __future__ import annotations

from pathlib import Path

from tests.chains import ROOT
from tests.cli.commands import chorale


def test_written_and_checked(tmp_path: Path) -> None:
    """Writing is repeatable, a drift is exit code 1 with the cure, and the committed file is the written one."""
    path = tmp_path / "schema.graphql"
    assert chorale("export-schema", str(path))[0] == 0
    text = path.read_text()
    assert "devWallet" in text
    assert (ROOT / "schema.graphql").read_text() == text
    assert chorale("export-schema", "--check", str(path))[0] == 0
    path.write_text(text + "\n")
    code, _, err = chorale("export-schema", "--check", str(path))
    assert code == 1
    assert "export-schema" in err
    assert path.read_text() == text + "\n"
    assert chorale("export-schema", "--check", str(tmp_path / "none"))[0] == 1
