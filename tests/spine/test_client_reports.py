"""What clients reported is bounded, forgotten in time, and a conflict only where they show again what is past."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.checking.client_reports import ClientReports
from chorale.limits import Limits

LIMITS = Limits(ui_clients=3, ui_report_ttl=100.0)


@dataclass
class Clock:
    """A time that a test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def threads(count: int) -> dict[str, int]:
    return {f"thread {n}": 1 for n in range(count)}


def test_the_next_report_takes_the_place_of_the_last() -> None:
    """One per client; what it no longer shows is not checked."""
    reports = ClientReports(LIMITS)
    reports.note("a", {"x": 1, "y": 2}, frozenset())
    reports.note("a", {"y": 3}, frozenset())
    assert {name: shown.version for name, shown in reports.of("a").items()} == {"y": 3}
    assert len(reports) == 1


def test_clients_and_entities_are_bounded() -> None:
    """The oldest reports give way, to many clients and to few with long reports."""
    reports = ClientReports(LIMITS)
    for name in "abcd":
        reports.note(name, threads(2), frozenset())
    assert [client for client, _ in reports.after(0, 10)] == ["b", "c", "d"]
    reports.note("e", threads(29), frozenset())
    assert [client for client, _ in reports.after(0, 10)] == ["e"]
    assert len(reports) == 29


def test_old_reports_are_forgotten() -> None:
    """A client that says nothing any more is not checked."""
    clock = Clock()
    reports = ClientReports(LIMITS, clock)
    reports.note("a", threads(2), frozenset())
    clock.now += 60
    reports.note("b", threads(1), frozenset())
    clock.now += 60
    assert [client for client, _ in reports.after(0, 10)] == ["b"]
    assert len(reports) == 1


def test_it_remembers_since_when_a_client_was_told() -> None:
    """Reported again at the same version: still that time. At another version, or once current: anew."""
    clock = Clock()
    reports = ClientReports(LIMITS, clock)
    told = frozenset({"x"})
    reports.note("a", {"x": 4}, told)
    clock.now += 30
    reports.note("a", {"x": 4}, told)
    assert (reports.of("a")["x"].behind_since, reports.of("a")["x"].at) == (1000.0, 1030.0)
    reports.note("a", {"x": 5}, told)
    assert reports.of("a")["x"].behind_since == 1030.0
    reports.note("a", {"x": 6}, frozenset())
    assert reports.of("a")["x"].behind_since is None


def test_what_was_told_is_settled() -> None:
    """Versions above the true one, and those that were told to be past, of that thread alone."""
    reports = ClientReports(LIMITS)
    reports.note("a", {"x": 9, "y": 9}, frozenset())
    reports.note("b", {"x": 3}, frozenset({"x"}))
    reports.note("c", {"x": 5}, frozenset())
    reports.tell("x", 5)
    assert [(client, sorted(shown)) for client, shown in reports.after(0, 10)] == [
        ("a", ["y"]),
        ("c", ["x"]),
    ]
    assert len(reports) == 2
