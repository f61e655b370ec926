"""A guard: every call to one part of an authority goes through it, and it knows from them how the part does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from chorale.domain.availability import AuthorityHealth, Health
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard.circuit import Circuit
from datasources.guard.hedge import Hedge
from datasources.guard.outcomes import Outcomes

T = TypeVar("T")

Changed = Callable[[], None]

_FIRST_WAIT, _LONGEST_WAIT = 0.05, 0.5  # s between attempts: a random part of a bound that doubles


@dataclass(frozen=True, slots=True)
class Policy:
    """How a method is called: seconds for all attempts together (None: it minds its own time), and how many of them.
    After `patience` seconds of silence the same is asked beside it; None: never, since it would have another effect, or
    since no wire is between."""

    timeout: float | None
    attempts: int = 1
    patience: float | None = None


class Guard:
    """`name` is what people call the part. Raises AuthorityUnavailableError: at once while the circuit is open."""

    def __init__(
        self,
        name: str,
        authority: Authority,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.authority = authority
        self.changed: Changed = lambda: None
        self._clock = clock
        self._now = now
        self._probe_timeout = limits.authority_timeout
        self._hedge = Hedge(limits.authority_hedges)
        self._beside = limits.authority_side_by_side
        self._circuit = Circuit(name, limits.breaker_failures, limits.breaker_pause)
        self._outcomes = Outcomes(limits.authority_window)
        self._failure = ""
        self._gone_wrong = asyncio.Event()
        self._behind = ""
        self._health = AuthorityHealth(authority, Health.HEALTHY, now())

    @property
    def health(self) -> AuthorityHealth:
        """How the part does, from what has been called."""
        self._weigh()
        return self._health

    @property
    def closed(self) -> bool:
        """Whether calls are made at all."""
        return self._circuit.closed

    @property
    def troubled(self) -> bool:
        """Whether it is worth a look soon: it is not healthy, or something has just gone wrong."""
        return self.health.health is not Health.HEALTHY or self._outcomes.any_bad(self._clock())

    async def went_wrong(self) -> None:
        """Wait for the next failure."""
        self._gone_wrong.clear()
        await self._gone_wrong.wait()

    async def call(self, policy: Policy, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives, under `policy`."""
        self._admit()
        if policy.timeout is None:
            return await self._once(call, policy)
        began = self._clock()
        clock = asyncio.timeout(policy.timeout)
        try:
            async with clock:
                return await self._tried(policy, call)
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise self._failed(self._slow(policy.timeout), began, policy.timeout) from error

    async def probe(self, call: Callable[[], Awaitable[object]], patience: float | None = None) -> bool:
        """Try `call` whatever the circuit says; whether it succeeded. Never raises AuthorityUnavailableError."""
        began = self._clock()
        clock = asyncio.timeout(self._probe_timeout)
        try:
            async with clock:
                await self._once(call, Policy(self._probe_timeout, patience=patience))
        except AuthorityUnavailableError:
            return False
        except TimeoutError:
            if not clock.expired():
                raise
            self._failed(self._slow(self._probe_timeout), began, self._probe_timeout)
            return False
        return True

    def set_behind(self, reason: str) -> None:
        """It answers from the past, and how that is known; "" where it no longer does."""
        self._behind = reason
        self._weigh()

    async def _tried(self, policy: Policy, call: Callable[[], Awaitable[T]]) -> T:
        first: AuthorityUnavailableError | None = None
        try:
            return await self._once(call, policy)
        except AuthorityUnavailableError as error:
            if policy.attempts == 1 or not self._again(error):
                raise
            first = error

        async def attempt() -> T:
            # The first attempt was made above: what succeeds at once does not pay for the machinery of retrying.
            nonlocal first
            if first is not None:
                error, first = first, None
                raise error
            self._admit()
            return await self._once(call, policy)

        retrying = AsyncRetrying(
            stop=stop_after_attempt(policy.attempts),
            wait=wait_random_exponential(_FIRST_WAIT, max=_LONGEST_WAIT),
            retry=retry_if_exception(self._again),
            reraise=True,
        )
        result: T = await retrying(attempt)
        return result

    async def _once(self, call: Callable[[], Awaitable[T]], policy: Policy) -> T:
        if policy.patience is None:
            return await self._seen(call, policy.timeout)
        return await self._hedge.call(
            lambda: self._seen(call, policy.timeout),
            patience=policy.patience,
            times=self._beside,
            silent=self._is_silent,
        )

    async def _seen(self, call: Callable[[], Awaitable[T]], allowed: float | None) -> T:
        began = self._clock()
        try:
            result = await call()
        except AuthorityUnavailableError as error:
            if error.authority is self.authority and not error.refused:
                self._failed(error, began, allowed)
            raise
        was_closed = self._circuit.closed
        self._circuit.succeeded()
        if self._circuit.closed and not was_closed:
            self._outcomes.forget()
        now = self._clock()
        bad = allowed is not None and self._outcomes.add(now, now - began, allowed)
        if bad or self._health.health is not Health.HEALTHY:
            self._weigh()
        return result

    def _again(self, error: BaseException) -> bool:
        return (
            isinstance(error, AuthorityUnavailableError)
            and error.authority is self.authority
            and not error.refused
            and self._circuit.closed
        )

    def _admit(self) -> None:
        if not self._circuit.closed:
            raise AuthorityUnavailableError(
                self.authority, f"{self.name} does not answer ({self._failure}). Try again shortly."
            )

    def _slow(self, seconds: float) -> AuthorityUnavailableError:
        return AuthorityUnavailableError(
            self.authority, f"{self.name} did not answer within {seconds:g} s. Try again shortly."
        )

    def _is_silent(self, seconds: float) -> None:
        """A call has not come back for so long: a bad one, whatever becomes of it."""
        problem = f"{self.name} did not answer within {seconds:g} s"
        self._outcomes.add(self._clock(), seconds, float("inf"), problem)
        self._gone_wrong.set()
        self._weigh()

    def _failed(
        self, error: AuthorityUnavailableError, began: float, allowed: float | None
    ) -> AuthorityUnavailableError:
        now = self._clock()
        self._failure = str(error).removesuffix(" Try again shortly.").rstrip(".")
        self._outcomes.add(now, now - began, allowed or float("inf"), self._failure)
        self._circuit.failed(error)
        self._gone_wrong.set()
        self._weigh()
        return error

    def _weigh(self) -> None:
        if not self._circuit.closed:
            health, reason = Health.DOWN, self._failure
        elif self._behind:
            health, reason = Health.BEHIND, self._behind
        else:
            reason = self._outcomes.problem(self._clock())
            health = Health.DEGRADED if reason else Health.HEALTHY
        if health is not self._health.health:
            self._health = AuthorityHealth(self.authority, health, self._now(), reason)
            self.changed()
