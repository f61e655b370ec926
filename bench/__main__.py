"""`python -m bench [name …]`: runs all benchmarks or the named ones, each side by side with a peer or a limit.

Prints Markdown; compares in one run and says so in ratios, since absolute figures belong to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable

import uvloop

from bench import converge, follow, keeper, page, proof, search, start, submit, verify
from bench.people import Demo
from bench.report import machine
from bench.serving import scratch

BENCHMARKS: dict[str, Callable[[Demo], Awaitable[str]]] = {
    "submit": submit.run,
    "page": page.run,
    "proof": proof.run,
    "verify": verify.run,
    "start": start.run,
    "search": search.run,
    "keeper": keeper.run,
    "follow": follow.run,
    "converge": converge.run,
}
TABLES = ("compute_units", "rent")


def main() -> int:
    """Runs what the command line names."""
    names = [*BENCHMARKS, *TABLES]
    described = "\n".join(f"  {_summary(name)}" for name in names)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__}\nbenchmarks:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="*", help="benchmarks to run, all by default")
    chosen = parser.parse_args().name or names
    for name in chosen:
        if name not in names:
            parser.error(f"There is no benchmark {name!r}; there are {', '.join(names)}.")
    if not sys.platform.startswith("linux"):
        parser.error("The benchmarks read /proc: they run on Linux only.")
    print(f"{machine()}\n", flush=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(chosen))
    return 0


async def _run(chosen: list[str]) -> None:
    with scratch() as folder:
        demo = Demo(folder)
        for name in chosen:
            result = await asyncio.to_thread(_table, name) if name in TABLES else await BENCHMARKS[name](demo)
            print(f"## {name}\n\n{result}\n", flush=True)


def _table(name: str) -> str:
    table: str = importlib.import_module(f"bench.{name}").table()
    return table.partition("\n\n")[2].rstrip()


def _summary(name: str) -> str:
    document = importlib.import_module(f"bench.{name}").__doc__ or ""
    first = document.partition("\n")[0]
    return first if first.startswith(name) else f"{name}: {first}"


if __name__ == "__main__":
    sys.exit(main())
