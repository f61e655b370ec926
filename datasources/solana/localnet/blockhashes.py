"""Blockhashes: one per slot, the last 150 valid.

A slot's hash follows from the chain's persisted secret seed, so the ring of valid ones is as durable as the slot.
"""

from __future__ import annotations

from collections import deque
from hashlib import sha256

from solders.hash import Hash

MAX_AGE = 150


class Blockhashes:
    """The ring of valid blockhashes."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._ring: deque[Hash] = deque()
        self._slots: dict[Hash, int] = {}
        self._newest = -1

    def of(self, slot: int) -> Hash:
        """The blockhash of `slot`."""
        return Hash.from_bytes(sha256(b"chorale:blockhash" + self._seed + slot.to_bytes(8, "little")).digest())

    def slot_of(self, blockhash: Hash, now: int) -> int | None:
        """The slot whose valid blockhash this is, None where it is unknown or older than 150 slots at slot `now`."""
        for slot in range(max(self._newest + 1, now - MAX_AGE), now + 1):
            fresh = self.of(slot)
            self._ring.append(fresh)
            self._slots[fresh] = slot
        self._newest = max(self._newest, now)
        while self._ring and self._slots[self._ring[0]] < now - MAX_AGE:
            del self._slots[self._ring.popleft()]
        return self._slots.get(blockhash)
