"""What calls to one part came to lately: enough to tell a part that does badly from one that does well."""

from __future__ import annotations

from collections import deque

_KEPT = 50
_SLOW_PART = 10  # a call is slow where it takes more than this part of its time
_FEWEST = 2  # bad calls that are no accident
_BAD_PART = 5  # one in so many is too many


class Outcomes:
    """The newest calls of the last `window` seconds; `now` in any clock's seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._calls: deque[tuple[float, str]] = deque(maxlen=_KEPT)

    def add(self, now: float, duration: float, allowed: float, failure: str = "") -> bool:
        """One call that took `duration` of `allowed` seconds; `failure` says why it failed, "" where it did not.
        Whether it was a bad one: failed, or slow."""
        slow = f"a call took {duration:.1f} s" if duration * _SLOW_PART > allowed else ""
        self._calls.append((now, failure or slow))
        return bool(failure or slow)

    def forget(self) -> None:
        """What was before a recovery says nothing about now."""
        self._calls.clear()

    def problem(self, now: float) -> str:
        """The newest of the bad ones where these are too many, else ""."""
        bad = self._bad(now)
        return bad[-1] if len(bad) >= _FEWEST and len(bad) * _BAD_PART >= len(self._calls) else ""

    def any_bad(self, now: float) -> bool:
        """Whether there is reason to look closer."""
        return bool(self._bad(now))

    def _bad(self, now: float) -> list[str]:
        while self._calls and self._calls[0][0] < now - self._window:
            self._calls.popleft()
        return [problem for _, problem in self._calls if problem]
