"""A guard gives every call its time, repeats only reads, and refuses at once while its circuit is open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from chorale.domain.availability import AuthorityHealth, Health
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain, CorrectableContent, SessionStore
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard import ports
from datasources.guard.availability import Watch, WatchedAuthorities, probing
from datasources.guard.guard import Guard, Policy
from tests.patience import PATIENCE

LIMITS = replace(
    Limits(), authority_timeout=0.2, breaker_failures=3, breaker_pause=0.05, authority_probe=0.05, authority_window=5.0
)
READ, ONCE = Policy(5.0, 3), Policy(5.0)


class Part:
    """Something that fails as often as it is told to, and counts how often it is asked."""

    def __init__(self, failures: int = 0, authority: Authority = Authority.SOLANA, *, refused: bool = False) -> None:
        self.failures = failures
        self.asked = 0
        self._error = AuthorityUnavailableError(authority, "It is raining. Try again shortly.", refused=refused)

    async def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.failures:
            raise self._error
        return "well"


class Now:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def _guard(**more: Any) -> Guard:
    return Guard("The part", Authority.SOLANA, LIMITS, **more)


async def _opened(guard: Guard) -> None:
    for _ in range(LIMITS.breaker_failures):
        with pytest.raises(AuthorityUnavailableError):
            await guard.call(ONCE, Part(9))
    assert guard.health.health is Health.DOWN


async def test_a_read_is_repeated_until_it_succeeds() -> None:
    """Two failures and a success are one answer."""
    part = Part(2)
    assert await _guard().call(READ, part) == "well"
    assert part.asked == 3


async def test_a_read_is_given_up_after_its_attempts() -> None:
    """The last error is the caller's."""
    part = Part(9)
    with pytest.raises(AuthorityUnavailableError, match="raining"):
        await _guard().call(READ, part)
    assert part.asked == READ.attempts


async def test_a_write_is_never_repeated() -> None:
    """One failure is one error."""
    part = Part(1)
    with pytest.raises(AuthorityUnavailableError):
        await _guard().call(ONCE, part)
    assert part.asked == 1


async def test_an_open_circuit_asks_nobody_and_says_why() -> None:
    """After failures in a row the part is left alone, reads and writes alike."""
    guard = _guard()
    await _opened(guard)
    part = Part()
    for policy in (READ, ONCE, Policy(None)):
        with pytest.raises(AuthorityUnavailableError, match="raining") as refused:
            await guard.call(policy, part)
        assert refused.value.authority is Authority.SOLANA
    assert part.asked == 0


async def test_a_circuit_that_opens_ends_the_attempts() -> None:
    """Nobody goes on trying what is known to be down."""
    guard, part = _guard(), Part(9)
    with pytest.raises(AuthorityUnavailableError):
        await guard.call(Policy(5.0, 9), part)
    assert part.asked == LIMITS.breaker_failures


async def test_a_success_between_failures_keeps_it_closed() -> None:
    """Only failures in a row open it."""
    guard = _guard()
    for _ in range(3):
        for _ in range(LIMITS.breaker_failures - 1):
            with pytest.raises(AuthorityUnavailableError):
                await guard.call(ONCE, Part(9))
        assert await guard.call(ONCE, Part()) == "well"
    assert guard.closed


async def test_a_call_that_does_not_come_back_is_a_failure_in_time() -> None:
    """The time holds for all attempts together."""
    guard = _guard()
    for _ in range(LIMITS.breaker_failures):
        with pytest.raises(AuthorityUnavailableError, match=r"within 0\.01 s"):
            await guard.call(Policy(0.01, 3), asyncio.Event().wait)
    assert guard.health.health is Health.DOWN


async def test_who_leaves_tells_nothing() -> None:
    """A cancelled call is neither a failure nor a success."""
    guard = _guard()
    for _ in range(LIMITS.breaker_failures - 1):
        with pytest.raises(AuthorityUnavailableError):
            await guard.call(ONCE, Part(9))
    for _ in range(5):
        task = asyncio.create_task(guard.call(ONCE, asyncio.Event().wait))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert guard.closed
    with pytest.raises(AuthorityUnavailableError):
        await guard.call(ONCE, Part(9))
    assert not guard.closed


@pytest.mark.parametrize("part", [Part(9, refused=True), Part(9, Authority.QDRANT)], ids=["refused", "another's"])
async def test_what_says_nothing_about_the_part_counts_as_nothing(part: Part) -> None:
    """A request that it did not take, or another authority's absence."""
    guard = _guard()
    for number in range(1, 7):
        with pytest.raises(AuthorityUnavailableError):
            await guard.call(READ, part)
        assert part.asked == number
    assert guard.health.health is Health.HEALTHY


async def test_a_late_success_does_not_close_what_has_opened() -> None:
    """It was begun before, so it proves nothing about now."""
    guard, begun = Guard("The part", Authority.SOLANA, replace(LIMITS, breaker_pause=60.0)), asyncio.Event()
    late = asyncio.create_task(guard.call(ONCE, begun.wait))
    await asyncio.sleep(0)
    await _opened(guard)
    begun.set()
    await late
    assert not guard.closed


async def test_it_recovers_without_traffic_and_is_announced() -> None:
    """Probes go on while it is down; the first that succeeds closes the circuit."""
    turns: list[tuple[Health, Health, str]] = []
    healthy = asyncio.Event()

    def turned(before: AuthorityHealth, now: AuthorityHealth) -> None:
        turns.append((before.health, now.health, now.reason))
        if now.health is Health.HEALTHY:
            healthy.set()

    guard, part = _guard(), Part(7)
    availability = WatchedAuthorities((guard,), turned)
    async with probing([Watch(guard, part)], LIMITS), asyncio.timeout(PATIENCE):
        await healthy.wait()
    assert [now for _, now, _ in turns][-2:] == [Health.DOWN, Health.HEALTHY]
    assert turns[-2][2] == "It is raining"
    assert part.asked == 8
    availability.check(Authority.SOLANA)


async def test_a_failure_calls_the_next_probe_at_once() -> None:
    """Recovery is looked for from the moment of the loss, however long the pause between probes of a healthy part."""
    guard, probed = _guard(), asyncio.Event()

    async def probe() -> None:
        probed.set()

    async def broken() -> None:
        raise AuthorityUnavailableError(Authority.SOLANA, "Away.")

    async with probing([Watch(guard, probe)], replace(LIMITS, authority_probe=3600.0)), asyncio.timeout(PATIENCE):
        await asyncio.sleep(0)  # the pause has begun
        with pytest.raises(AuthorityUnavailableError):
            await guard.call(ONCE, broken)
        await probed.wait()


async def test_an_unexpected_fault_of_a_probe_ends_no_probing(caplog: pytest.LogCaptureFixture) -> None:
    """The next probe is made all the same."""
    guard, asked = _guard(), 0
    again = asyncio.Event()

    async def probe() -> None:
        nonlocal asked
        asked += 1
        if asked > 1:
            again.set()
        raise ZeroDivisionError

    async with probing([Watch(guard, probe)], LIMITS), asyncio.timeout(PATIENCE):
        await again.wait()
    assert "could not be probed" in caplog.text


async def test_slow_and_half_failing_parts_are_degraded_and_usable() -> None:
    """It is said, and nothing is refused."""
    clock = Now()
    guard = _guard(clock=clock)
    availability = WatchedAuthorities((guard,), lambda before, now: None)

    async def slow() -> None:
        clock.seconds += 1.0

    await guard.call(ONCE, slow)
    assert guard.health.health is Health.HEALTHY  # once is an accident
    await guard.call(ONCE, slow)
    assert guard.health.health is Health.DEGRADED
    assert guard.health.reason == "a call took 1.0 s"
    availability.check(Authority.SOLANA)
    clock.seconds += LIMITS.authority_window + 1
    assert guard.health.health is Health.HEALTHY


async def test_lost_authorities_are_refused_by_name() -> None:
    """The first that is down or behind is named; one part is enough."""
    solana, one, other = [
        Guard(name, authority, LIMITS)
        for name, authority in (("a", Authority.SOLANA), ("b", Authority.BACKEND), ("c", Authority.BACKEND))
    ]
    availability = WatchedAuthorities((solana, one, other), lambda before, now: None)
    availability.check(*Authority)
    other.set_behind("slot 7 has not moved for 11 s")
    with pytest.raises(AuthorityUnavailableError, match=r"lives in the past \(slot 7") as refused:
        availability.check(Authority.SOLANA, Authority.QDRANT, Authority.BACKEND)
    assert refused.value.authority is Authority.BACKEND
    other.set_behind("")
    availability.check(*Authority)


def test_policies_name_methods_that_exist_and_repeat_none_that_has_an_effect() -> None:
    """A method that is renamed would silently lose its policy."""
    named: list[tuple[type, tuple[str, ...]]] = [
        (Chain, (*ports.CHAIN_READS, *ports.CHAIN_LONG, *ports.CHAIN_OWN_TIME, *ports.CHAIN_SENDS)),
        (CorrectableContent, (*ports.CONTENT_READS, *ports.CONTENT_LONG, *ports.CONTENT_WRITES)),
        (SessionStore, ports.SESSION_READS),
    ]
    for port, names in named:
        assert all(hasattr(port, name) for name in names), port
    repeated = {*ports.CHAIN_READS, *ports.CHAIN_LONG, *ports.CONTENT_READS, *ports.SESSION_READS}
    effects = {"send", "stage", "promote", "collect_staged", "correct", "restore", "put", "add", "take", "delete"}
    assert not repeated & effects
    assert not {*ports.CONTENT_WRITES} & effects - {"stage", "promote"}


async def test_a_port_behind_a_guard_is_the_same_port() -> None:
    """Attributes and generators pass, coroutine methods are guarded."""

    class Port:
        program_id = "P"

        async def slot(self) -> int:
            return 7

        async def send(self, transaction: bytes) -> str:
            raise AuthorityUnavailableError(Authority.SOLANA)

        async def follow(self) -> Any:
            yield 1

    seen: list[tuple[str, tuple[Any, ...], Any]] = []
    guard = _guard()
    port: Any = ports.guarded_chain(Port(), guard, LIMITS, lambda *call: seen.append(call))  # type: ignore[arg-type]
    assert port.program_id == "P"
    assert [item async for item in port.follow()] == [1]
    assert await port.slot() == 7
    assert seen == [("slot", (), 7)]
    ask: Callable[[bytes], Awaitable[str]] = port.send
    for _ in range(LIMITS.breaker_failures):
        with pytest.raises(AuthorityUnavailableError):
            await ask(b"")
    assert guard.health.health is Health.DOWN
