"""Compute units of every instruction, as a Markdown table: python -m bench.compute_units [--write | --check]

Executes the compiled program in LiteSVM. Keys come from fixed seeds, so the numbers are the same on every machine;
they differ between sets of keys because the runtime charges 1,500 units for each try of an address search.
`--check` fails where docs/compute-units.md is not what a run makes. Where a number has risen, `--write` demands the
reason (`--because "…"`), which the document keeps.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from bench.unit_cases import ALONE, IN_THREADS, SIZES, alone, in_thread
from bench.unit_table import Cell, Table, parse, render, rises

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "compute-units.md"
SETS_OF_KEYS = 15
# A case with few co-authors, and any case at all.
COMMON, WORST = 30_000, 150_000


def measure(sets: int = SETS_OF_KEYS) -> Table:
    """What every case cost, over that many sets of keys. Raises RuntimeError where an instruction was refused."""
    units: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for number in range(sets):
        seed = f"compute units {number}"
        samples = [(case, 1, result) for case, result in alone(seed)]
        samples += [(case, size, result) for size in SIZES for case, result in in_thread(seed, size)]
        for case, size, result in samples:
            if not result.ok:
                raise RuntimeError(f"{case}, {size} co-authors: {result.error}\n" + "\n".join(result.logs))
            units[case, size].append(result.units)
    return {
        case: {size: Cell.of(units[case, size]) for size in SIZES if (case, size) in units}
        for case in (*ALONE, *IN_THREADS)
    }


def aim(size: int) -> int:
    """What a case with so many co-authors has to stay below."""
    return WORST if size == SIZES[-1] else COMMON


def table() -> str:
    """The document as a run makes it, with the reasons that the committed one gives."""
    return render(measure(), parse(DOCUMENT.read_text())[1], sets=SETS_OF_KEYS)


def main() -> int:
    """Prints, writes or checks the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    parser.add_argument("--check", action="store_true", help=f"fail where {DOCUMENT.name} differs")
    parser.add_argument("--because", default="", help="why something costs more than before")
    options = parser.parse_args()
    present = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    committed, reasons = parse(present)
    measured = measure()
    risen = rises(committed, measured)
    if options.check:
        if present == render(measured, reasons, sets=SETS_OF_KEYS):
            return 0
        print("\n".join(risen), file=sys.stderr)
        cure = '--write --because "why it has to"' if risen else "--write"
        print(f"docs/{DOCUMENT.name} is out of date: run python -m bench.compute_units {cure}", file=sys.stderr)
        return 1
    if options.write:
        if risen and not options.because:
            print("\n".join(risen), file=sys.stderr)
            print('Say why with --because "…", or make it cheaper. Nothing was written.', file=sys.stderr)
            return 1
        reasons += [f"{line} {options.because}" for line in risen]
        DOCUMENT.write_text(render(measured, reasons, sets=SETS_OF_KEYS))
    print(render(measured, reasons, sets=SETS_OF_KEYS), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
