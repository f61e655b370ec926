"""Runs the program's tests against another build until the first one fails.

Collecting the tests takes longer than killing most mutants, so it is done once: each build is judged in a fork of the
process that has collected them.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from programs.interface import INSTRUCTIONS
from tests.program.harness import OTHER_BUILD

ROOT = Path(__file__).resolve().parents[2]
# What proves the program, in the order in which the tests are tried where nothing better is known: short walks beside
# the model, the rules one by one, and the adversary suite but for its noise, which takes long and aims at nothing.
TESTS = (
    "tests/prove/test_walk.py::test_every_kind_of_world_agrees_to_its_end",
    "tests/program/test_program_votes.py",
    "tests/program/test_program_payouts.py",
    "tests/program/test_program_leaving.py",
    "tests/program/test_program_messages.py",
    "tests/program/test_program_setup.py",
    "tests/program/test_program_tree.py",
    "tests/program/test_program_wire.py",
    "tests/adversary/test_data.py",
    "tests/adversary/test_numbers.py",
    "tests/adversary/test_creation.py",
    "tests/adversary/test_accounts.py",
    "tests/adversary/test_through_a_program.py",
)
_SURVIVED, _KILLED, _BROKEN = 0, 1, 2


@dataclass(frozen=True)
class Verdict:
    """`killer` is the first test that failed, empty where all passed."""

    killer: str
    seconds: float


class Judge:
    """A pytest plugin that hands the collected tests to `work` instead of running them."""

    def __init__(self, work: Callable[[Judge], None]) -> None:
        self._work = work
        self._killers: Counter[tuple[str, str]] = Counter()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Takes the place of pytest's own loop."""
        self._session = session
        self._work(self)
        return True

    def verdict(self, build: Path, file: str) -> Verdict:
        """What the tests say of `build`, whose source differs in `file`; the likeliest killers come first."""
        began = time.monotonic()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            self._try(build, file, writer)
        os.close(writer)
        with os.fdopen(reader) as answer:
            killer = answer.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code not in (_SURVIVED, _KILLED):
            killer = killer or f"the tests' process, which ended with {code}"
        if killer:
            self._killers[file, killer] += 1
        return Verdict(killer, time.monotonic() - began)

    def _try(self, build: Path, file: str, writer: int) -> None:
        """The child's part: never returns."""
        code = _BROKEN
        try:
            os.environ[OTHER_BUILD] = str(build)
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            failed = self._first_failure(file)
            os.write(writer, failed.encode())
            code = _KILLED if failed else _SURVIVED
        finally:
            os._exit(code)

    def _first_failure(self, file: str) -> str:
        failures: list[str] = []

        class Watch:
            def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
                if report.failed:
                    failures.append(report.nodeid)

        plugins = self._session.config.pluginmanager
        plugins.unregister(name="terminalreporter")  # it has kept the standard output of before
        plugins.register(Watch())
        items = self._in_order(file)
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if failures:
                break
        return failures[0] if failures else ""

    def _in_order(self, file: str) -> list[pytest.Item]:
        """Those that killed others of this file, then those that name it, then the rest as collected.

        Attacks on other instructions than the one whose file was changed see nothing of it, and are left out.
        """
        subject = Path(file).stem
        single = subject in INSTRUCTIONS

        def rank(item: pytest.Item) -> tuple[int, bool]:
            return -self._killers[file, item.nodeid], subject not in item.nodeid

        foreign = "tests/adversary/"
        items = [
            i for i in self._session.items if not single or subject in i.nodeid or not i.nodeid.startswith(foreign)
        ]
        return sorted(items, key=rank)


def with_tests_collected(work: Callable[[Judge], None]) -> None:
    """Collects the tests and calls `work` with their judge. Raises RuntimeError where they cannot be collected."""
    done: list[bool] = []

    def noted(judge: Judge) -> None:
        work(judge)
        done.append(True)

    tests = [str(ROOT / test) for test in TESTS]
    code = pytest.main(["-q", "--no-header", "--no-summary", "-p", "no:cacheprovider", *tests], plugins=[Judge(noted)])
    if not done:
        raise RuntimeError(f"pytest ended with {code} before any mutant was judged")
    sys.stdout.flush()
