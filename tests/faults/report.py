"""What the fault runs have seen: each fault, what healed it, and how long that took; printed, and as JSON."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

_PLAIN = re.compile(r" \d+ ms (later|after a write began)|,? (of )?\d+ texts( gone)?")


@dataclass(frozen=True)
class Healing:
    """One fault and its end. Seconds until all systems agreed with the model: `after_mended` from the server's
    readiness where it was started again, else from the end of the fault; `after_restart` from the start of its process,
    None where it was not started."""

    injected: str
    healed: str
    after_mended: float
    after_restart: float | None = None

    def __str__(self) -> str:
        restarted = "" if self.after_restart is None else f", {self.after_restart:.1f} s after the process was started"
        return f"{self.injected} -> {self.healed}; all agreed after {self.after_mended:.2f} s{restarted}"


@dataclass
class ScenarioReport:
    """One scenario. `problem` is what was violated, "" where nothing was; `shown` are answers to strangers that held
    what was not published, `lost` counts acknowledged writes that are gone; `looks` are answers to strangers;
    `left_out` says why it was not run, "" where it was; `log` is the end of the server's where it was violated."""

    name: str
    seed: int
    healings: list[Healing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    mutations: int = 0
    acknowledged: int = 0
    lost: int = 0
    shown: list[str] = field(default_factory=list)
    looks: int = 0
    seconds: float = 0.0
    problem: str = ""
    left_out: str = ""
    log: str = ""

    def healed(self, healing: Healing) -> None:
        """Keep and print one fault's end."""
        self.healings.append(healing)
        print(f"  {healing}", flush=True)

    def note(self, text: str) -> None:
        """A remark for the reader."""
        self.notes.append(text)
        print(f"  {text}", flush=True)

    @property
    def times(self) -> list[float]:
        """Times to agreement, in seconds after the fault was mended, ascending."""
        return sorted(healing.after_mended for healing in self.healings)

    @property
    def slowest(self) -> float:
        """The longest of them."""
        return max(self.times, default=0.0)

    @property
    def median(self) -> float:
        """The middle one of them."""
        return middle(self.times)

    @property
    def is_clean(self) -> bool:
        """Whether everything held."""
        return not (self.problem or self.lost or self.shown)


@dataclass
class RunReport:
    """All scenarios of one run; `within` is the bound in seconds on `Healing.after_mended`."""

    seed: int
    chain: str
    cache: str
    within: float
    scenarios: list[ScenarioReport] = field(default_factory=list)
    begun_at: float = field(default_factory=time.time)

    @property
    def is_clean(self) -> bool:
        """Whether every scenario held, within the bound."""
        return all(each.is_clean and each.slowest <= self.within for each in self.scenarios)

    def summary(self) -> str:
        """The totals as lines: per scenario, what healed what, and how long it took."""
        healings = [healing for each in self.scenarios for healing in each.healings]
        mended = sorted(healing.after_mended for healing in healings)
        restarts = sorted(healing.after_restart for healing in healings if healing.after_restart is not None)
        lines = [
            "",
            f"seed {self.seed}, chain {self.chain}, cache {self.cache}",
            f"{'scenario':<16} {'faults':>6} {'writes':>6} {'acked':>6} {'lost':>5} {'shown':>6} {'looks':>6} "
            f"{'p50':>8} {'max':>8} {'took':>6}",
        ]
        lines += [
            f"{each.name:<16} {len(each.healings):>6} {each.mutations:>6} {each.acknowledged:>6} {each.lost:>5} "
            f"{len(each.shown):>6} {each.looks:>6} {each.median:>6.2f} s {each.slowest:>6.2f} s {each.seconds:>4.0f} s"
            f"{'  VIOLATED' if not each.is_clean else '  SLOW' if each.slowest > self.within else ''}"
            for each in self.scenarios
            if not each.left_out
        ]
        lines += [f"{each.name:<16} left out: {each.left_out}" for each in self.scenarios if each.left_out]
        lines += ["", *_by_cure(self.scenarios)]
        lines += [
            "",
            f"faults injected: {len(healings)}",
            f"acknowledged writes lost: {sum(each.lost for each in self.scenarios)}",
            f"unpublished bytes shown: {sum(len(each.shown) for each in self.scenarios)}",
            f"agreement after readiness or mending: p50 {middle(mended):.2f} s, max {max(mended, default=0.0):.2f} s "
            f"(bound {self.within:g} s)",
        ]
        if restarts:
            lines.append(
                f"agreement after the process was started: p50 {middle(restarts):.2f} s, max {restarts[-1]:.2f} s"
            )
        for each in self.scenarios:
            lines += [f"VIOLATED {each.name} (--seed {each.seed}): {each.problem}"] if each.problem else []
            lines += [f"SHOWN in {each.name} (--seed {each.seed}): {shown}" for shown in each.shown]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Everything."""
        whole = asdict(self) | {"clean": self.is_clean}
        for each, scenario in zip(whole["scenarios"], self.scenarios, strict=True):
            each |= {"p50": scenario.median, "max": scenario.slowest, "clean": scenario.is_clean}
        times = sorted(time for each in self.scenarios for time in each.times)
        return json.dumps(whole | {"p50": middle(times), "max": max(times, default=0.0)}, indent=2)


def middle(ascending: Sequence[float]) -> float:
    """The median, 0 of nothing."""
    return ascending[len(ascending) // 2] if ascending else 0.0


def _by_cure(scenarios: Sequence[ScenarioReport]) -> Iterator[str]:
    """One line for each cure of a scenario: what it healed, with what differs by chance left out, and how often."""
    for scenario in scenarios:
        cures: dict[str, Counter[str]] = {}
        for healing in scenario.healings:
            cures.setdefault(_PLAIN.sub("", healing.healed), Counter())[_PLAIN.sub("", healing.injected)] += 1
        for cure, injected in cures.items():
            counted = [f"{name} x{count}" if count > 1 else name for name, count in injected.items()]
            yield f"{scenario.name}: {cure} <- {'; '.join(counted)}"
