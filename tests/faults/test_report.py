"""The report of a run says what healed what and how long it took, in a few lines, and everything as JSON."""

from __future__ import annotations

import json

from tests.faults.report import Healing, RunReport, ScenarioReport


def _report() -> RunReport:
    kills = ScenarioReport("kills", 7, mutations=9, acknowledged=8, looks=30, seconds=61.0)
    for number, seconds in enumerate((0.4, 0.1, 4.5)):
        kills.healings.append(Healing(f"kill -9 of server {number} ms later", "restart", seconds, 10.0 + seconds))
    left = ScenarioReport("history", 7, left_out="a validator's history cannot be put back")
    return RunReport(7, "validator", "memory", 5.0, [kills, left])


def test_summary() -> None:
    """One line for each cure, with what differs by chance left out; p50 and max for each scenario and for all."""
    summary = _report().summary()
    assert "kills: restart <- kill -9 of server x3" in summary
    assert "agreement after readiness or mending: p50 0.40 s, max 4.50 s (bound 5 s)" in summary
    assert "history          left out: a validator's history cannot be put back" in summary
    [row] = [line for line in summary.splitlines() if line.startswith("kills   ")]
    assert row.split() == ["kills", "3", "9", "8", "0", "0", "30", "0.40", "s", "4.50", "s", "61", "s"]


def test_json_is_whole() -> None:
    """Every fault with its times, every count, the seed that repeats it, and the distribution."""
    report = _report()
    found = json.loads(report.as_json())
    assert (found["seed"], found["chain"], found["cache"], found["within"]) == (7, "validator", "memory", 5.0)
    assert (found["clean"], found["p50"], found["max"]) == (True, 0.4, 4.5)
    kills, history = found["scenarios"]
    assert [each["after_mended"] for each in kills["healings"]] == [0.4, 0.1, 4.5]
    assert [each["injected"] for each in kills["healings"]] == [each.injected for each in report.scenarios[0].healings]
    assert (kills["acknowledged"], kills["lost"], kills["shown"], kills["p50"], kills["max"]) == (8, 0, [], 0.4, 4.5)
    assert history["left_out"]


def test_what_makes_a_run_unclean() -> None:
    """A slow agreement, a lost write, an answer that showed too much, and any other violation."""
    assert _report().is_clean
    for change in ({"lost": 1}, {"shown": ["secret"]}, {"problem": "it broke"}):
        report = _report()
        for name, value in change.items():
            setattr(report.scenarios[0], name, value)
        assert not report.is_clean
        assert "VIOLATED" in report.summary() or "SHOWN" in report.summary()
    slow = _report()
    slow.within = 4.0
    assert not slow.is_clean
    assert "SLOW" in slow.summary()
