"""Writes that a store has acknowledged, and whether it still knows of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

from chorale.domain.content import ContentKey, ContentState, FetchedContent

_KEPT = 8
_FEWEST = 3  # keys that are missing together: one alone is a conflict of its own, which `reconcile` settles


class Acknowledged:
    """The newest keys that were stored. A store that misses most of them answers from the past (a replica that lags, a
    snapshot that was put back); what is still missing `patience` seconds later is lost, and no longer asked for."""

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._keys: OrderedDict[ContentKey, None] = OrderedDict()
        self._missed_at: float | None = None

    @property
    def keys(self) -> tuple[ContentKey, ...]:
        """What to ask for."""
        return tuple(self._keys)

    def stored(self, key: ContentKey) -> None:
        """The store has taken it."""
        self._keys[key] = None
        self._keys.move_to_end(key)
        while len(self._keys) > _KEPT:
            self._keys.popitem(last=False)

    def dropped(self, keys: Iterable[ContentKey]) -> None:
        """These may be gone rightly."""
        for key in keys:
            self._keys.pop(key, None)

    def problem(self, fetched: Mapping[ContentKey, FetchedContent]) -> str:
        """What an answer for `keys` says of the store; "" where it is up to date."""
        missing = [key for key, found in fetched.items() if key in self._keys and found.state is ContentState.MISSING]
        if len(missing) < _FEWEST or 2 * len(missing) < len(self._keys):
            self._missed_at = None
            return ""
        now = self._clock()
        if self._missed_at is None:
            self._missed_at = now
        if now - self._missed_at >= self._patience:
            self.dropped(missing)
            self._missed_at = None
            return ""
        return f"{len(missing)} of the last {len(self._keys)} texts that it stored are missing"
