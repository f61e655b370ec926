"""Room for so many, shared fairly: whoever holds most of it makes room, so that nobody pushes out all others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FairShare(Generic[K, V]):
    """At most `size` values by key, in the order of their coming, each of one owner. Where one more comes, the oldest
    of the owner with the most values gives way."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, tuple[str, V]] = OrderedDict()
        self._keys: dict[str, OrderedDict[K, None]] = {}  # by owner

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        """The value, None where there is none."""
        held = self._values.get(key)
        return None if held is None else held[1]

    def put(self, key: K, owner: str, value: V) -> K | None:
        """Add as the newest, in place of one of the same key; the key that gave way, if any did."""
        self.pop(key)
        self._values[key] = owner, value
        self._keys.setdefault(owner, OrderedDict())[key] = None
        if len(self._values) <= self._size:
            return None
        largest = max(self._keys.values(), key=len)
        oldest = next(iter(largest))
        self.pop(oldest)
        return oldest

    def pop(self, key: K) -> V | None:
        """Take it out, where it is there."""
        held = self._values.pop(key, None)
        if held is None:
            return None
        owner, value = held
        keys = self._keys[owner]
        del keys[key]
        if not keys:
            del self._keys[owner]
        return value

    def oldest_first(self) -> Iterator[V]:
        """All values."""
        return (value for _, value in self._values.values())

    def newest_first(self) -> Iterator[V]:
        """All values."""
        return (value for _, value in reversed(self._values.values()))
