"""Lamports that accounts hold, and that instructions cost beside the fee: python -m bench.rent [--write | --check]

Executes the compiled program in LiteSVM, under both ways in which clusters write the same rent down. `--check` fails
where docs/rent.md is not what a run makes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from solders.rent import Rent

from bench.rent_cases import SIGNATURE, Costs, measure

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "rent.md"
# Lamports per byte and year with an exemption at two years; since SIMD-0194 their product, with an exemption at one.
RENTS = (Rent(3_480, 2.0, 50), Rent(6_960, 1.0, 50))


def table() -> str:
    """The document. Raises RuntimeError where the two rents lead to different costs."""
    costs, *others = (measure(rent) for rent in RENTS)
    if any(other != costs for other in others):
        raise RuntimeError("The same rent, written down in another way, leads to other costs.")
    return _rendered(costs)


def _rendered(costs: Costs) -> str:
    lines = [
        "# Lamports",
        "",
        "Made by `python -m bench.rent --write`: the compiled program in LiteSVM. An account holds 6,960 lamports for",
        "each of its bytes and 128 more; they stay there, since the program closes no account. Both ways in which",
        "clusters write this rent down give the same numbers.",
        "",
        "| Account | Bytes | Lamports |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {size:,} | {lamports:,} |" for name, (size, lamports) in costs.accounts.items()),
        "",
        "A pending message holds 40 bytes' rent more than its size needs: its author's seat, moved to the thread at",
        "publication, and left where it is by every other end.",
        "",
        f"## What `payer` pays beside {SIGNATURE:,} lamports per signature",
        "",
        "| Instruction | Lamports |",
        "| --- | ---: |",
        *(f"| {name} | {lamports:,} |" for name, lamports in sorted(costs.payments.items(), key=_dearest_first)),
        "",
        "Lamports that were sent to a new account's address beforehand are counted: `payer` pays what is missing.",
    ]
    return "\n".join(lines) + "\n"


def _dearest_first(payment: tuple[str, int]) -> tuple[int, str]:
    return -payment[1], payment[0]


def main() -> int:
    """Prints, writes or checks the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    parser.add_argument("--check", action="store_true", help=f"fail where {DOCUMENT.name} differs")
    options = parser.parse_args()
    text = table()
    if options.check:
        if not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            print(f"docs/{DOCUMENT.name} is out of date: run python -m bench.rent --write", file=sys.stderr)
            return 1
        return 0
    if options.write:
        DOCUMENT.write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
