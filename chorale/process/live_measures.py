"""Gauges of a running house that are read when they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from chorale.domain.availability import Health
from chorale.domain.boundaries import BoundaryFindings
from chorale.domain.errors import AuthorityUnavailableError
from chorale.process.services import Services
from datasources.metrics import PrometheusMeasures

Values = dict[tuple[str, ...], float]

_USABLE = (Health.HEALTHY, Health.DEGRADED)


def watch_house(measures: PrometheusMeasures, services: Callable[[], Services]) -> None:
    """Add what is read from `services()`, which raises AuthorityUnavailableError while they are opened again. Then all
    that there is to read is that the chain is not followed."""

    def reading(read: Callable[[Services], Values], otherwise: Values | None = None) -> Callable[[], Values]:
        def values() -> Values:
            try:
                return read(services())
            except AuthorityUnavailableError:
                return otherwise or {}

        return values

    add = measures.read
    add("chorale_authority_up", "1 where the authority can be used.", ("authority",), reading(_up))
    add("chorale_authority_health", "1 for the health it is in.", ("authority", "health"), reading(_health))
    add("chorale_lease_held", "1 where this replica writes shared content.", (), reading(_lease))
    add("chorale_catch_up_changes", "Changes of the latest catch-up.", ("state",), reading(_catch_up))
    add("chorale_caught_up", "1 where the chain is followed as it goes on.", (), reading(_caught_up, {(): 0.0}))
    for name, meaning, count in (
        ("chorale_boundary_checked", "Entities checked since the start.", lambda found: found.checked),
        ("chorale_boundary_conflicts", "Conflicts that checks found since the start.", lambda found: found.conflicts),
        ("chorale_boundary_healed", "Of these, those resolved at once.", lambda found: found.healed),
        ("chorale_boundary_unchecked", "1 where the last check failed.", lambda found: bool(found.problem)),
    ):
        add(name, meaning, ("boundary",), reading(_findings(count)))


def _up(services: Services) -> Values:
    return {(known.authority.value,): float(known.health in _USABLE) for known in services.availability.all()}


def _health(services: Services) -> Values:
    known = services.availability.all()
    return {(one.authority.value, health.value): float(one.health is health) for one in known for health in Health}


def _lease(services: Services) -> Values:
    return {(): float(services.lease.held)}


def _catch_up(services: Services) -> Values:
    progress = services.watcher.catch_up()
    return {("total",): progress.total, ("done",): progress.done, ("left",): progress.left}


def _caught_up(services: Services) -> Values:
    return {(): float(services.watcher.catch_up().finished)}


def _findings(count: Callable[[BoundaryFindings], float]) -> Callable[[Services], Values]:
    return lambda services: {(found.name.value,): float(count(found)) for found in services.boundaries.findings()}
