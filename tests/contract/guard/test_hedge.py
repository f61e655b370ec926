"""A call that hangs is asked once more beside it, and the first answer is taken; what is merely slow is not hurried."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chorale.domain.availability import Health
from chorale.domain.errors import AuthorityUnavailableError, MinimumSlotNotReachedError
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard import ports
from datasources.guard.availability import Watch, probing
from datasources.guard.guard import Guard, Policy
from datasources.guard.hedge import Hedge
from tests.patience import PATIENCE

SOON = 0.02  # s of patience
HEDGED = Policy(3600.0, 3, SOON)


class Wires:
    """Calls that hang as long as the script says so, then answer with their number."""

    def __init__(self, *script: str) -> None:
        self.script = script
        self.asked = 0
        self.left: list[int] = []
        self.late = asyncio.Event()

    async def __call__(self) -> int:
        number = self.asked
        self.asked += 1
        how = self.script[number] if number < len(self.script) else "answers"
        try:
            if how == "hangs":
                await asyncio.Event().wait()
            elif how == "is late":
                await self.late.wait()
            elif how == "says no":
                raise MinimumSlotNotReachedError
            elif how == "fails":
                raise AuthorityUnavailableError(Authority.QDRANT, "Cut. Try again shortly.")
        except asyncio.CancelledError:
            self.left.append(number)
            raise
        return number

    async def are(self, number: int) -> None:
        """Wait until so many have begun."""
        async with asyncio.timeout(PATIENCE):
            while self.asked < number:
                await asyncio.sleep(SOON)


def _guard(limits: Limits | None = None) -> Guard:
    return Guard("The part", Authority.QDRANT, limits or Limits())


async def test_what_hangs_costs_the_patience_and_not_the_whole_time() -> None:
    """The third answers; those that hang are left, and are bad calls of the part."""
    guard, wires = _guard(), Wires("hangs", "hangs")
    async with asyncio.timeout(PATIENCE):
        assert await guard.call(HEDGED, wires) == 2
    assert sorted(wires.left) == [0, 1]
    assert guard.health.health is Health.DEGRADED
    assert guard.health.reason == "The part did not answer within 0.02 s"


async def test_the_first_answers_where_it_is_merely_slow() -> None:
    """Asking beside it hurries nobody away."""
    wires = Wires("is late", "hangs", "hangs")
    call = asyncio.create_task(_guard().call(HEDGED, wires))
    await wires.are(3)
    wires.late.set()
    assert await call == 0
    assert sorted(wires.left) == [1, 2]


async def test_one_that_fails_leaves_it_to_the_others() -> None:
    """A failure beside a call that is still under way is not the answer yet; where all fail it is tried anew."""
    wires = Wires("is late", "fails", "fails")
    call = asyncio.create_task(_guard().call(HEDGED, wires))
    await wires.are(3)
    wires.late.set()
    assert await call == 0
    assert await _guard().call(HEDGED, Wires("fails", "fails")) == 2


async def test_a_refusal_is_the_answer_however_many_hang_beside_it() -> None:
    """A node that says in its time that a slot is not reached is no node that does not answer."""
    guard, wires = _guard(), Wires("hangs", "says no")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(MinimumSlotNotReachedError):
            await guard.call(HEDGED, wires)
    assert wires.left == [0]


async def test_what_has_an_effect_is_asked_once() -> None:
    """Without patience nothing is asked beside it, however long it takes."""
    wires = Wires("hangs")
    with pytest.raises(AuthorityUnavailableError, match=r"within 0\.1 s"):
        await _guard().call(Policy(5 * SOON), wires)
    assert wires.asked == 1


async def test_a_part_that_is_slow_throughout_is_not_asked_everything_twice() -> None:
    """Of all calls together only so many are asked beside others."""
    limits = replace(Limits(), authority_hedges=2)
    guard, wires = _guard(limits), Wires(*["is late"] * 20)
    calls = [asyncio.create_task(guard.call(HEDGED, wires)) for _ in range(10)]
    await wires.are(12)
    await asyncio.sleep(5 * SOON)  # time in which more would be asked
    assert wires.asked == 12
    wires.late.set()
    await asyncio.gather(*calls)
    assert await guard.call(HEDGED, Wires("hangs")) == 1  # what was asked beside others has ended


async def test_who_leaves_takes_all_of_them_along() -> None:
    """Nothing goes on that nobody waits for."""
    hedge, wires = Hedge(5), Wires("hangs", "hangs", "hangs")
    call = asyncio.create_task(hedge.call(wires, patience=SOON, times=3, silent=lambda _: None))
    await wires.are(3)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert sorted(wires.left) == [0, 1, 2]
    assert hedge.under_way == 0


async def test_a_probe_that_hangs_holds_up_no_recovery() -> None:
    """The circuit closes with the one beside it."""
    limits = replace(Limits(), authority_timeout=3600.0, breaker_failures=1, breaker_pause=0.01)
    guard, wires = _guard(limits), Wires("hangs")
    with pytest.raises(AuthorityUnavailableError):
        await guard.call(Policy(5.0), Wires("fails"))
    assert not guard.closed
    async with probing([Watch(guard, wires, SOON)], limits), asyncio.timeout(PATIENCE):
        while not guard.closed:
            await asyncio.sleep(SOON)
    assert wires.asked > 1


@pytest.mark.parametrize("remote", [False, True])
async def test_only_what_a_wire_is_before_is_asked_twice(remote: bool) -> None:
    """The embedded engine has none, and would only have more to do."""

    class Store:
        def __init__(self) -> None:
            self.fetching, self.correcting = Wires("is late"), Wires("is late")

        async def fetch(self) -> int:
            return await self.fetching()

        async def correct(self) -> int:
            return await self.correcting()

    limits, store = replace(Limits(), authority_patience=SOON), Store()
    port = ports.guarded_content(store, _guard(), limits, lambda *_: None, remote=remote)  # type: ignore[arg-type]
    calls = [asyncio.create_task(call()) for call in (port.fetch, port.correct)]  # type: ignore[call-arg]
    if remote:
        await store.fetching.are(2)
    await asyncio.sleep(5 * SOON)  # time in which more would be asked
    store.fetching.late.set()
    store.correcting.late.set()
    await asyncio.gather(*calls)
    assert (store.fetching.asked > 1, store.correcting.asked) == (remote, 1)
