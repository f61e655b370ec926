"""`python -m tests.mutants`: sabotages every check of the program, one at a time, and reports which ones go unnoticed.

    --only TEXT    mutants whose name contains TEXT; may be given several times
    --quick        the named sabotages of sabotages.py alone (a few minutes)
    --jobs N       so many at a time (1)
    --list         prints the mutants, builds none
    --threshold R  the least kill rate in percent that is a success (98)

Ends with 1 where a mutant survives that equivalent.txt does not explain, where one explained there is killed, or below
the threshold.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.judge import Judge, with_tests_collected
from tests.mutants.operators import Mutant, mutants_of
from tests.mutants.sabotages import SABOTAGES
from tests.mutants.tally import Fate, Outcome, explained, print_outcome, print_summary
from tests.mutants.workshop import CRATE, PROGRAMS, TOOLS, NotBuilt, Workshop


@dataclass
class _Bench:
    """What a worker process has: the tests, a workshop of its own, and the program as it is."""

    judge: Judge
    workshop: Workshop
    original: bytes


_bench: _Bench | None = None


def _set_up(judge: Judge) -> None:
    global _bench  # one per worker process, made once
    workshop = Workshop()
    build = workshop.build()
    _bench = _Bench(judge, workshop, build.read_bytes())


def _try(mutant: Mutant) -> Outcome:
    assert _bench is not None
    began = time.monotonic()
    try:
        build = _bench.workshop.build(mutant)
    except NotBuilt as error:
        return Outcome(mutant, Fate.NOT_BUILT, str(error), time.monotonic() - began)
    if build.read_bytes() == _bench.original:
        return Outcome(mutant, Fate.SAME_BINARY, "", time.monotonic() - began)
    verdict = _bench.judge.verdict(build, mutant.file)
    fate = Fate.KILLED if verdict.killer else Fate.SURVIVED
    return Outcome(mutant, fate, verdict.killer, time.monotonic() - began)


def run(mutants: list[Mutant], jobs: int) -> list[Outcome]:
    """Every mutant's outcome, printed as it comes in."""
    outcomes: list[Outcome] = []

    def work(judge: Judge) -> None:
        healthy = judge.verdict(PROGRAMS / "chorale.so", "")
        if healthy.killer:
            print(f"{healthy.killer} fails for the program as it is: no mutant was tried", file=sys.stderr)
            return
        fork = multiprocessing.get_context("fork")
        with fork.Pool(jobs, _set_up, (judge,)) as pool:
            for outcome in pool.imap_unordered(_try, mutants):
                outcomes.append(outcome)
                print_outcome(outcome)

    with_tests_collected(work)
    return outcomes


def main() -> int:
    """Parses the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Mutation testing of the program.")
    parser.add_argument("--only", action="append", default=[], help="mutants whose name contains this")
    parser.add_argument("--quick", action="store_true", help="the named sabotages alone")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    parser.add_argument("--list", action="store_true", help="print the mutants, build none")
    parser.add_argument("--threshold", type=float, default=98.0, help="least kill rate, percent")
    options = parser.parse_args()
    missing = [tool for tool in TOOLS if not Path(tool).exists()]
    if missing and not options.list:
        print(f"{missing[0]} is missing: apt-get install rustc-web cargo-web rust-web-src llvm-22", file=sys.stderr)
        return 2
    mutants = [m for m in mutants_of(CRATE) if not options.quick or m.name in SABOTAGES]
    if options.only:
        mutants = [m for m in mutants if any(text in m.name for text in options.only)]
    if options.list:
        for mutant in mutants:
            print(f"{mutant.line:4} {mutant.name}")
        return 0
    outcomes = run(mutants, options.jobs)
    return print_summary(outcomes, explained(), options.threshold)


if __name__ == "__main__":
    sys.exit(main())
