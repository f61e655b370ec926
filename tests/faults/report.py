"""What the fault runs have seen: each fault, what healed it, and how long that took; printed, and as JSON."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field


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
    what was not published, `lost` counts acknowledged writes that are gone; `looks` are answers to strangers."""

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

    def healed(self, healing: Healing) -> None:
        """Keep and print one fault's end."""
        self.healings.append(healing)
        print(f"  {healing}", flush=True)

    def note(self, text: str) -> None:
        """A remark for the reader."""
        self.notes.append(text)
        print(f"  {text}", flush=True)

    @property
    def slowest(self) -> float:
        """The longest time to agreement, in seconds after the fault was mended."""
        return max((healing.after_mended for healing in self.healings), default=0.0)

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
        """The totals as lines."""
        healings = [healing for each in self.scenarios for healing in each.healings]
        mended = sorted(healing.after_mended for healing in healings) or [0.0]
        restarts = sorted(healing.after_restart for healing in healings if healing.after_restart is not None)
        lines = [
            "",
            f"seed {self.seed}, chain {self.chain}, cache {self.cache}",
            f"{'scenario':<16} {'faults':>6} {'writes':>6} {'acked':>6} {'lost':>5} {'shown':>6} {'looks':>6} "
            f"{'slowest':>8}",
        ]
        lines += [
            f"{each.name:<16} {len(each.healings):>6} {each.mutations:>6} {each.acknowledged:>6} {each.lost:>5} "
            f"{len(each.shown):>6} {each.looks:>6} {each.slowest:>6.2f} s{'' if each.is_clean else '  VIOLATED'}"
            for each in self.scenarios
        ]
        lines += [
            f"faults injected: {len(healings)}",
            f"acknowledged writes lost: {sum(each.lost for each in self.scenarios)}",
            f"unpublished bytes shown: {sum(len(each.shown) for each in self.scenarios)}",
            f"agreement after readiness or mending: median {mended[len(mended) // 2]:.2f} s, "
            f"slowest {mended[-1]:.2f} s (bound {self.within:.0f} s)",
        ]
        if restarts:
            lines.append(
                f"agreement after the process was started: median {restarts[len(restarts) // 2]:.2f} s, slowest "
                f"{restarts[-1]:.2f} s"
            )
        for each in self.scenarios:
            lines += [f"VIOLATED {each.name} (--seed {each.seed}): {each.problem}"] if each.problem else []
            lines += [f"SHOWN in {each.name} (--seed {each.seed}): {shown}" for shown in each.shown]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Everything."""
        return json.dumps(asdict(self) | {"clean": self.is_clean}, indent=2)
