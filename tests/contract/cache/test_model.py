"""Whatever the order of reads, late fills and floors, and however little room there is, no entry is ever served that
lacks a change whose floor was raised; and what is read afterwards is served."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chorale.domain.caching import CachedAccount, Floor, Lookup
from chorale.limits import Limits
from tests.contract.cache.conftest import Opener
from tests.contract.cache.samples import entry

ADDRESSES = tuple("abcdef")
address = st.sampled_from(ADDRESSES)


class CacheMachine(RuleBasedStateMachine):
    """A chain with several transactions per slot, its readers, and those who tell of changes, each at their own pace.

    Every value of an address that a read has shown is kept with the version it truly had."""

    def __init__(self, opener: Opener, room: int) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        limits = Limits(cache_entries=room, cache_flight=0.01)
        self.cache = self.run(self.stack.enter_async_context(opener(limits)))
        self.slot = 1
        self.versions = dict.fromkeys(ADDRESSES, 0)
        self.required = dict.fromkeys(ADDRESSES, 0)
        self.reads: list[tuple[str, CachedAccount, Lookup | None]] = []
        self.changes: list[tuple[str, Floor, int]] = []
        self.put: set[tuple[str, int, int]] = set()

    def run(self, call: Any) -> Any:
        return self.runner.run(call)

    def teardown(self) -> None:
        self.run(self.stack.aclose())
        self.runner.close()

    @rule()
    def tick(self) -> None:
        self.slot += 1

    @rule(at=address, known=st.booleans())
    def change(self, at: str, known: bool) -> None:
        self.versions[at] += 1
        self.changes.append((at, Floor(self.slot, self.versions[at] if known else None), self.versions[at]))

    @rule(data=st.data())
    def tell(self, data: st.DataObject) -> None:
        """Changes are told of late, in any order, by several."""
        if self.changes:
            at, floor, version = data.draw(st.sampled_from(self.changes))
            assert self.run(self.cache.raise_floors({at: floor}))
            self.required[at] = max(self.required[at], version)

    @rule(data=st.data())
    def tell_and_fill(self, data: st.DataObject) -> None:
        """Whoever tells of a change brings what has become of accounts, from a cache that may be gone by now."""
        seen = [(at, one, lookup.era) for at, one, lookup in self.reads if lookup is not None]
        if self.changes and seen:
            at, floor, version = data.draw(st.sampled_from(self.changes))
            filled, one, era = data.draw(st.sampled_from(seen))
            assert self.run(self.cache.raise_floors({at: floor}, {filled: one}, era))
            self.required[at] = max(self.required[at], version)
            self.put.add((filled, one.slot, one.version))

    @rule()
    def tell_of_all(self) -> None:
        assert self.run(self.cache.raise_all(self.slot))
        self.required |= self.versions

    @rule(at=address, looks=st.booleans())
    def read(self, at: str, looks: bool) -> None:
        lookup = self.run(self.cache.look_up([at])) if looks else None
        self.reads.append((at, entry(at, self.slot, self.versions[at]), lookup))

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """Reads come late, in any order, some of them twice."""
        if self.reads:
            self._fill(*data.draw(st.sampled_from(self.reads)))

    @rule(at=address)
    def fill_at_once(self, at: str) -> None:
        """What is read in a slot after all that was told is served from then on."""
        self.slot += 1
        self._fill(at, entry(at, self.slot, self.versions[at]), None)
        found = self.run(self.cache.get([at]))
        assert found[at].version == self.versions[at]

    @rule(at=address)
    def forget(self, at: str) -> None:
        self.run(self.cache.forget([at]))
        self.put = {one for one in self.put if one[0] != at}

    @rule()
    def clear(self) -> None:
        self.run(self.cache.clear())
        self.put.clear()
        self.required = dict.fromkeys(ADDRESSES, 0)
        self.reads = [read for read in self.reads if read[2] is not None]  # what was looked for before is never taken

    @invariant()
    def serves_nothing_old(self) -> None:
        for found in (self.run(self.cache.get(ADDRESSES)), self.run(self.cache.sample(len(ADDRESSES)))):
            for at, one in found.items():
                assert one.version >= self.required[at], (at, one, self.required[at])
                self._is_put(at, one)

    @invariant()
    def knows_what_was_put(self) -> None:
        for at, one in self.run(self.cache.last_known(ADDRESSES)).items():
            self._is_put(at, one)

    def _fill(self, at: str, one: CachedAccount, lookup: Lookup | None) -> None:
        self.run(self.cache.put({at: one}, lookup))
        self.put.add((at, one.slot, one.version))

    def _is_put(self, at: str, one: CachedAccount) -> None:
        assert (at, one.slot, one.version) in self.put
        assert one.account == entry(at, one.slot, one.version).account


def _check(opener: Opener, room: int) -> None:
    class Opened(CacheMachine):
        def __init__(self) -> None:
            super().__init__(opener, room)

    run_state_machine_as_test(
        Opened,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )


def test_with_room_for_all(opener: Opener) -> None:
    _check(opener, 100)


def test_with_room_for_two(opener: Opener) -> None:
    _check(opener, 2)
