"""One circuit: closed while calls succeed, open after failures in a row, closed again by a probe that succeeds."""

from __future__ import annotations

from contextlib import suppress

from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import CLOSED, OpenedState


class Circuit:
    """Told of outcomes once they are known, so that a call that was cancelled counts as nothing. While it is not
    closed only probes are tried: no caller waits to find out."""

    def __init__(self, name: str, failures: int, pause: float) -> None:
        self._breaker = SyncCircuitBreakerFactory(failures, pause).get_breaker(name)

    @property
    def closed(self) -> bool:
        """Whether calls may be made."""
        return bool(self._breaker.context.state == CLOSED)

    def succeeded(self) -> None:
        """A call came back. One that was begun before the circuit opened closes it after its pause only."""
        with suppress(OpenedState), self._breaker:
            pass

    def failed(self, error: Exception) -> None:
        """A call did not."""
        with suppress(type(error), OpenedState), self._breaker:
            raise error
