"""`python -m tests.degraded`: write the table of `docs/degraded.md` anew from what the tests say."""

from __future__ import annotations

from importlib import import_module

from tests.degraded.cells import table
from tests.degraded.test_table import MODULES, PAGE

for name in MODULES:
    import_module(f"tests.degraded.{name}")
text = PAGE.read_text("utf-8")
head, _, rest = text.partition("| system |")
tail = rest[rest.index("\n\n") :] if "\n\n" in rest else "\n"
PAGE.write_text(f"{head}{table()}{tail}", "utf-8")
