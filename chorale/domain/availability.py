"""Whether an authority can be used now, as those who call it have experienced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority

WRITES_NEED = (Authority.SOLANA, Authority.QDRANT, Authority.BACKEND)
"""What every update goes through: it runs all four steps or none."""


class Health(StrEnum):
    """How an authority does. DEGRADED: it answers, slowly or with some failures. BEHIND: it answers from the past."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    BEHIND = "BEHIND"
    DOWN = "DOWN"

    @property
    def is_lost(self) -> bool:
        """Whether nothing new can be decided with it."""
        return self in (Health.BEHIND, Health.DOWN)


@dataclass(frozen=True, slots=True)
class AuthorityHealth:
    """One authority: how it does, since when (unix seconds), and why ("" where healthy)."""

    authority: Authority
    health: Health
    since: float
    reason: str = ""


class Availability(Protocol):
    """What is known of the authorities without asking them now."""

    def check(self, *authorities: Authority) -> None:
        """Raise AuthorityUnavailableError of the first that is DOWN or BEHIND, before anything is tried with it."""

    def health(self, authority: Authority) -> AuthorityHealth:
        """One authority's."""

    def all(self) -> tuple[AuthorityHealth, ...]:
        """Solana's, Qdrant's and the backend's."""


class AlwaysAvailable:
    """Where nobody watches the authorities: each call tells for itself. Implements `Availability`."""

    def check(self, *authorities: Authority) -> None:
        """Passes."""

    def health(self, authority: Authority) -> AuthorityHealth:
        """Healthy, as far as is known."""
        return AuthorityHealth(authority, Health.HEALTHY, 0.0)

    def all(self) -> tuple[AuthorityHealth, ...]:
        """All healthy, as far as is known."""
        return tuple(self.health(authority) for authority in WRITES_NEED)


def refuse_lost(health: AuthorityHealth) -> None:
    """Raise AuthorityUnavailableError where it is lost, saying how and why."""
    if health.health is Health.DOWN:
        raise AuthorityUnavailableError(
            health.authority,
            f"{health.authority.value} is down ({health.reason}). Nothing was changed. Try again shortly.",
        )
    if health.health is Health.BEHIND:
        raise AuthorityUnavailableError(
            health.authority,
            f"{health.authority.value} lives in the past ({health.reason}). Nothing was changed. Try again shortly.",
        )


@dataclass(frozen=True, slots=True)
class StaleRead:
    """An answer holds what was read before its authority went away: not later than `slot`, at `read_at` (unix s)."""

    authority: Authority
    slot: int
    read_at: float
