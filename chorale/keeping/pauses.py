"""When each piece of work may be tried: a grace after it was first seen, and growing pauses after failures."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256


@dataclass(slots=True)
class _Turn:
    at: float
    seen: int
    failures: int = 0


class Pauses:
    """Times are of the event loop, in s. Work waits `grace` and a part of `spread` that differs from keeper to keeper,
    so that several of them seldom reach for the same at once; after failures `first` and then twice as long each time,
    up to `longest`. Memory holds what is due now, up to a bound: beyond that work does not wait at first."""

    def __init__(
        self, keeper: str, *, grace: float, spread: float, first: float, longest: float, most: int = 100_000
    ) -> None:
        self._keeper = keeper
        self._grace = grace
        self._spread = spread
        self._first = first
        self._longest = longest
        self._most = most
        self._look = 0
        self._turns: dict[str, _Turn] = {}

    def ready(self, key: str, now: float) -> bool:
        """Whether its turn has come. Work that is seen for the first time begins to wait."""
        turn = self._turns.get(key)
        if turn is None:
            if len(self._turns) >= self._most:
                return True
            turn = self._turns[key] = _Turn(now + self._grace + self._spread * self._part(key), self._look)
        turn.seen = self._look
        return turn.at <= now

    def looked(self) -> None:
        """The end of a look: what was not asked for since the last one is no longer due, and forgotten."""
        self._turns = {key: turn for key, turn in self._turns.items() if turn.seen == self._look}
        self._look += 1

    def failed(self, key: str, now: float) -> float:
        """Put it off; for how long."""
        turn = self._turns.get(key) or _Turn(now, self._look)
        pause = min(self._longest, self._first * 2.0 ** min(turn.failures, 64))
        turn.at, turn.failures = now + pause, turn.failures + 1
        if key in self._turns or len(self._turns) < self._most:
            self._turns[key] = turn
        return pause

    def hasten(self, key: str, now: float) -> None:
        """Let it have its turn at the next look: it follows from what others had time for."""
        self._turns[key] = _Turn(now, self._look)

    def done(self, key: str) -> None:
        """It is done; should it come due once more, it is new."""
        self._turns.pop(key, None)

    def next_turn(self, now: float) -> float | None:
        """When the next turn comes that has not yet come; None where none waits."""
        return min((turn.at for turn in self._turns.values() if turn.at > now), default=None)

    def _part(self, key: str) -> float:
        digest = sha256(f"{self._keeper}:{key}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48
