"""`python -m tests.faults`: breaks everything on purpose, prints what was injected and what healed it, and counts.

Exit code 1 where an acknowledged write was lost, unpublished bytes were shown, anything else that the model promises
was violated, or agreement took longer than the bound.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from chorale.settings import DEFAULT_MODEL
from datasources.embeddings import open_embedder
from tests.faults.report import RunReport
from tests.faults.runner import SCENARIOS, run_scenario
from tests.faults.world import Options
from tests.redis import running_redis
from tests.validator import SPARE_PROGRAMS, running_validator

_WITHIN = {"localnet": 5.0, "validator": 120.0}
_KILLS = {False: 200, True: 10}  # by whether it is the short form


def main() -> int:
    """Runs what the command line names."""
    options = _parser().parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 10**6
    print(f"seed {seed}", flush=True)
    within = options.within or _WITHIN[options.chain]
    report = RunReport(seed, options.chain, options.cache, within)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chorale-faults-")))
        cluster = None
        if options.chain == "validator":
            (folder / "validator").mkdir()
            beside = [program.pubkey() for program in SPARE_PROGRAMS]
            cluster = stack.enter_context(running_validator(folder / "validator", beside=beside))
        redis = None
        if options.cache == "redis":
            (folder / "redis").mkdir()
            redis = stack.enter_context(running_redis(folder / "redis"))
        print("building the model ...", flush=True)
        asyncio.run(_build_model(folder))
        kills = options.kills if options.kills is not None else _KILLS[options.short]
        run = Options(seed, folder, folder / "models", kills, options.short, cluster, redis)
        for name, program in zip(options.only or SCENARIOS, SPARE_PROGRAMS, strict=False):
            report.scenarios.append(asyncio.run(run_scenario(name, run, program)))
    print(report.summary())
    if options.json:
        options.json.write_text(report.as_json() + "\n", encoding="utf-8")
    return 0 if report.is_clean else 1


async def _build_model(folder: Path) -> None:
    async with open_embedder(DEFAULT_MODEL, folder, lambda _: None):
        pass


def _parser() -> argparse.ArgumentParser:
    described = "\n".join(
        f"  {name:<10} {(module.__doc__ or '').partition(chr(10))[0]}" for name, module in SCENARIOS.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=f"{__doc__}\nscenarios:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, help="random kills (200, with --short 10)")
    parser.add_argument("--seed", type=int, help="chooses everything that is random; printed where it is not given")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="a scenario; may be repeated")
    parser.add_argument("--chain", choices=("localnet", "validator"), default="localnet")
    parser.add_argument("--cache", choices=("memory", "redis"), default="memory")
    parser.add_argument(
        "--within",
        type=float,
        help="bound on agreement after readiness, in seconds (5; 120 on a validator, which finalizes at its pace)",
    )
    parser.add_argument("--short", action="store_true", help="fewer of each")
    parser.add_argument("--json", type=Path, help="file for the whole report")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except pytest.skip.Exception as missing:  # what a run needs is not installed
        print(f"cannot run: {missing}", file=sys.stderr)
        sys.exit(2)
