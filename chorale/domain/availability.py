"""Whether an authority can be used now, as those who call it have experienced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chorale.domain.updates import Authority


class Health(StrEnum):
    """How an authority does. DEGRADED: it answers, slowly or with some failures. BEHIND: it answers from the past."""

    HEALTHY = "HEALTHY"
    DEGRADED = "DEGRADED"
    BEHIND = "BEHIND"
    DOWN = "DOWN"


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
