"""The mutation tester sees every check of the program, and its lists name mutants that exist."""

from __future__ import annotations

import re

from tests.mutants.operators import mutants_of
from tests.mutants.sabotages import SABOTAGES
from tests.mutants.tally import explained
from tests.mutants.workshop import CRATE

_REFUSAL = re.compile(r"Err\([A-Z]\w+\.into\(\)\)|ok_or\([A-Z]\w+\)")

# What stands before a refusal that is no check of its own: a list of the wrong length, a match's arm, a function's end.
_NO_CHECK = re.compile(r"(?:accounts else \{\n +return |=> |\);\n    )\Z")


def test_every_refusal_in_the_source_is_sabotaged() -> None:
    """Each place that names an error of the program is renamed by one mutant, and lies in one that drops its check,
    unless it is the demand of a value (ok_or), a list of accounts or the dispatcher's last word."""
    mutants = mutants_of(CRATE)
    for path in sorted((CRATE / "src").rglob("*.rs")):
        file, source = str(path.relative_to(CRATE / "src")), path.read_text()
        for match in _REFUSAL.finditer(source):
            hits = {m.operator for m in mutants if m.file == file and m.start < match.end() and match.start() < m.end}
            assert "rename" in hits, (file, match.group())
            if match.group().startswith("Err") and not _NO_CHECK.search(source[: match.start()]):
                assert "drop" in hits, (file, source[: match.start()][-80:], match.group())


def test_mutants_have_names_of_their_own() -> None:
    """A name in a list means one mutant."""
    names = [mutant.name for mutant in mutants_of(CRATE)]
    assert len(names) == len(set(names))


def test_the_lists_name_mutants_that_exist() -> None:
    """Sabotages and explanations follow the source."""
    names = {mutant.name for mutant in mutants_of(CRATE)}
    assert set(SABOTAGES) <= names
    assert set(explained()) <= names
    assert all(explained().values())


def test_a_mutant_changes_the_source_in_one_place() -> None:
    """Applied, it differs from the source exactly between its start and its end."""
    for mutant in mutants_of(CRATE):
        source = (CRATE / "src" / mutant.file).read_text()
        changed = mutant.applied(source)
        assert changed != source
        assert changed[: mutant.start] == source[: mutant.start]
        assert changed.endswith(source[mutant.end :])
