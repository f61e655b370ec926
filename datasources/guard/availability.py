"""The authorities' health, put together from their parts, and the probes that notice loss and recovery alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from chorale.domain.availability import AuthorityHealth, Health, refuse_lost
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard.guard import Guard

_log = logging.getLogger(__name__)

Turned = Callable[[AuthorityHealth, AuthorityHealth], None]
"""Told of every turn: how the authority did before, and how it does now."""

_WORST = (Health.DOWN, Health.BEHIND, Health.DEGRADED, Health.HEALTHY)


@dataclass(frozen=True, slots=True)
class Watch:
    """A part and how it is probed. `probe` raises AuthorityUnavailableError, and may say that the part is behind; after
    `patience` seconds of silence another is made beside it, unless that is None."""

    guard: Guard
    probe: Callable[[], Awaitable[object]]
    patience: float | None = None


class WatchedAuthorities:
    """Implements `chorale.domain.availability.Availability`. An authority does as badly as the worst of its parts."""

    def __init__(self, guards: Sequence[Guard], turned: Turned) -> None:
        self._guards = guards
        self._turned = turned
        self._known = {guard.authority: guard.health for guard in guards}
        for guard in guards:
            guard.changed = self._on_change

    def check(self, *authorities: Authority) -> None:
        """Raise AuthorityUnavailableError of the first that is DOWN or BEHIND."""
        for authority in authorities:
            refuse_lost(self.health(authority))

    def health(self, authority: Authority) -> AuthorityHealth:
        """One authority's; one without parts is its own and healthy."""
        parts = [guard.health for guard in self._guards if guard.authority is authority]
        if not parts:
            return AuthorityHealth(authority, Health.HEALTHY, 0.0)
        return min(parts, key=lambda part: _WORST.index(part.health))

    def all(self) -> tuple[AuthorityHealth, ...]:
        """Solana's, Qdrant's and the backend's."""
        return tuple(self.health(authority) for authority in self._known)

    def _on_change(self) -> None:
        for authority, before in tuple(self._known.items()):
            now = self.health(authority)
            if now.health is not before.health:
                self._known[authority] = now
                self._turned(before, now)


@asynccontextmanager
async def probing(watches: Sequence[Watch], limits: Limits) -> AsyncIterator[None]:
    """Probe each part now and then, often once something went wrong: neither loss nor recovery needs traffic."""
    tasks = [asyncio.create_task(_probe(watch, limits), name=f"probe {watch.guard.name}") for watch in watches]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _probe(watch: Watch, limits: Limits) -> None:
    guard = watch.guard
    while True:
        if not guard.troubled:
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.authority_probe):
                    await guard.went_wrong()
        if guard.troubled:
            await asyncio.sleep(limits.breaker_pause)
        try:
            await guard.probe(watch.probe, watch.patience)
        except Exception:  # noqa: BLE001 -- whatever it is, the next probe is still to be made
            _log.exception("%s could not be probed", guard.name)
