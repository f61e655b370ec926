"""The chain's clock: slots of 400 ms, each with one unix time, from the wall clock; both only ever forwards."""

from __future__ import annotations

import time
from collections.abc import Callable

from datasources.solana.localnet.store import Store

SLOT_MILLISECONDS = 400
SLOTS_PER_EPOCH = 432_000
_RESERVED_AHEAD = 10


class ChainClock:
    """Slot and unix time of one chain.

    No slot is ever answered above the number reserved in the store, and a restart begins behind that number: so slots
    never go back, even where the wall clock does. Unix time never falls behind what a transaction has seen, because
    its commit writes `unix_time`. The offset that `advance` adds is kept, too.
    """

    def __init__(self, store: Store, wall: Callable[[], float] = time.time) -> None:
        self._store = store
        self._wall = wall
        self._offset = store.number("clock_offset")
        self._unix = store.number("unix_time")
        self._slot = self._reserved = store.number("slot_reserved")
        self._genesis = store.number("genesis_milliseconds")
        if not self._genesis:
            self._genesis = int(wall() * 1000)
            with store.transaction():
                store.put_value("genesis_milliseconds", self._genesis)
        self._shift = max(0, self._reserved + 1 - self._raw_slot())

    @property
    def slot(self) -> int:
        """The current slot."""
        slot = self._raw_slot() + self._shift
        if slot > self._slot:
            self._slot = slot
            self._unix = max(self._unix, int(self._wall()) + self._offset)
            if slot > self._reserved:
                self._reserve(slot + _RESERVED_AHEAD)
        return self._slot

    @property
    def unix_time(self) -> int:
        """Seconds since 1970 as the current slot sees them."""
        _ = self.slot
        return self._unix

    def seconds_to_next_slot(self) -> float:
        """How long the current slot still lasts."""
        elapsed = int(self._wall() * 1000) - self._genesis
        return (SLOT_MILLISECONDS - elapsed % SLOT_MILLISECONDS) / 1000

    def advance(self, seconds: int) -> int:
        """Move unix time ahead for good, by a positive number of seconds; a new slot begins. Returns the new time."""
        self._offset += seconds
        self._shift += 1
        with self._store.transaction():
            self._store.put_value("clock_offset", self._offset)
        return self.unix_time

    def advance_slots(self, slots: int) -> int:
        """Skip a positive number of slots, as if they had passed empty; returns the new slot. Time stays."""
        self._shift += slots
        return self.slot

    def _raw_slot(self) -> int:
        return (int(self._wall() * 1000) - self._genesis) // SLOT_MILLISECONDS

    def _reserve(self, slot: int) -> None:
        with self._store.transaction():
            self._store.put_value("slot_reserved", slot)
            self._store.put_value("unix_time", self._unix)
        self._reserved = slot
