"""`make prove`: many steps through many worlds, each step held against the model.

python -m tests.prove --steps 100000 --seed 1              # all of it
python -m tests.prove --seed 1 --world 17                  # one world
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from tests.prove.coverage import Coverage
from tests.prove.profiles import profile_of
from tests.prove.scene import Difference
from tests.prove.shrinking import SHRINKING_TAKES, Recorder, Tapes, shrunk
from tests.prove.walk import Walk

STEPS_PER_WORLD = 450
PROGRESS_EVERY = 5.0  # seconds


class Dice:
    """Choices of one world, all from its seed."""

    def __init__(self, seed: int, world: int) -> None:
        self._random = random.Random(f"{seed} {world}")

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        return int(self._random.random() * count)


def walk(seed: int, world: int, steps: int, coverage: Coverage) -> int:
    """Walks through one world for about `steps` calls, its end included. Returns how many there were."""
    path = Walk(profile_of(world), watch=coverage.add)
    dice = Recorder(Dice(seed, world))
    try:
        while path.calls < min(steps, STEPS_PER_WORLD):
            dice.next_step()
            path.step(dice)
        if steps > STEPS_PER_WORLD:
            path.finish()
        else:
            path.audit.full()
    except Exception as failure:
        # Whatever ends a walk, it shall be repeatable.
        report(failure, path, dice.tapes)
        print(f"\nSeed {seed}. To see it again:\n  make prove SEED={seed} WORLD={world}")
        raise SystemExit(1) from failure
    return path.calls


def report(failure: Exception, path: Walk, tapes: Tapes) -> None:
    """Says what differed, and the fewest steps that lead there."""
    print(f"\nDIFFERENCE at call {path.calls + 1} of a world of kind {path.profile.name}: {failure}")
    if not isinstance(failure, Difference):
        traceback.print_exception(failure)
        return
    print(f"Looking for fewer steps, for at most {SHRINKING_TAKES:.0f} s …", flush=True)
    shortest, difference = shrunk(path.profile, tapes)
    print(f"{len(shortest.scene.steps)} steps lead to: {difference}")
    print("Accounts with + sign, with - are read only; behind the bar are the arguments.")
    for number, step in enumerate(shortest.scene.steps, 1):
        print(f"  {number:4} {step}")


def main() -> int:
    """Runs the command. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", type=int, help="walk through this one alone")
    options = parser.parse_args()
    coverage, began, done, world = Coverage(), time.monotonic(), 0, options.world or 0
    shown = began
    while done < options.steps:
        done += walk(options.seed, world, options.steps - done, coverage)
        world += 1
        if options.world is not None:
            break
        if time.monotonic() - shown >= PROGRESS_EVERY:
            shown = time.monotonic()
            rate = done / (shown - began)
            print(f"{done:>8,} steps, {world} worlds, {rate:,.0f} steps/s", file=sys.stderr, flush=True)
    seconds, busy = time.monotonic() - began, time.process_time()
    print(coverage.table())
    print(f"\n{done:,} steps, seed {options.seed}, 0 differences.")
    print(
        f"{seconds:,.0f} s, {done / seconds:,.0f} steps/s; {busy:,.0f} s of one core, {done / busy:,.0f} steps/s of it."
    )
    for name, cell in coverage.unforeseen:
        print(f"not in the table: {name} {cell}")
    # One world does not meet everything.
    missing = [] if options.world is not None else coverage.missing
    for name, cell in missing:
        print(f"never reached: {name} {cell}")
    return 1 if missing or coverage.unforeseen else 0


if __name__ == "__main__":
    sys.exit(main())
