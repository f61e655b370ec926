"""The keeper: sends for everybody what anybody may send, once it is due, and pays for it with a keypair of its own.

It reads from the chain alone what is due, and writes to the chain alone: whatever follows from a transaction of its own
comes to the index, and to subscribers, the way every other transaction does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from chorale.domain.chain import SlotTick
from chorale.domain.errors import ChoraleError
from chorale.domain.ports import Chain, SessionStore, Signer
from chorale.keeper_settings import KeeperSettings
from chorale.keeping.check import Checker
from chorale.keeping.claims import Claims
from chorale.keeping.duties import Candidate, Duty
from chorale.keeping.errand import Ending, Errands, Result
from chorale.keeping.pauses import Pauses
from chorale.keeping.purse import Purse
from chorale.keeping.report import KeeperReport, KeeperState, Tally
from chorale.keeping.survey import Survey, Surveyor
from chorale.settings import Limits

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # s between attempts to reach the chain, doubling
_LOAD = 9  # a look that took 1 s is followed by at least 9 s of rest

Replenish = Callable[[int], Awaitable[None]]
"""Asked for lamports where the fee payer has too few; what only an embedded chain can do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the keeper keeps: a chain by its genesis hash, and the protocol's mint there."""

    genesis_hash: str
    mint: str


class Keeper:
    """Runs until it is closed. `store` is shared with other keepers where they share the work; `polls_clock` where the
    cluster's clock may leap."""

    def __init__(
        self,
        chain: Chain,
        store: SessionStore,
        signer: Signer,
        deployment: Deployment,
        settings: KeeperSettings,
        limits: Limits,
        *,
        polls_clock: bool = False,
        replenish: Replenish | None = None,
    ) -> None:
        self._chain = chain
        self._limits = limits
        self._polls_clock = polls_clock
        self._replenish = replenish
        self._purse = Purse(chain, store, signer.address, settings.budget)
        self._surveyor = Surveyor(chain, sweep_minimum=settings.sweep_minimum, most=limits.keeper_batch)
        self._pauses = Pauses(
            signer.address,
            grace=settings.grace,
            spread=0.0 if polls_clock else min(limits.keeper_spread, settings.grace),
            first=limits.keeper_first_pause,
            longest=limits.keeper_longest_pause,
        )
        self._errands = Errands(
            chain,
            signer,
            Checker(chain, deployment.mint, settings.sweep_minimum),
            Claims(store, chain, deployment.genesis_hash, limits.keeper_claim_ttl),
            self._purse,
            mint=deployment.mint,
            price=settings.priority_fee,
            confirm_timeout=limits.confirm_timeout,
        )
        self._tally = Tally()
        self._state: KeeperState | None = None
        self._wake = asyncio.Event()
        self._closed = asyncio.Event()
        self._look_seconds = 0.0
        self._unpaid = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to run, as a task of its own."""
        self._running = asyncio.create_task(self._run(), name="keeper")

    async def close(self) -> None:
        """Take nothing more on, and finish what is in flight; cut it off after a while."""
        self._closed.set()
        self._wake.set()
        if self._running is not None:
            done, _ = await asyncio.wait((self._running,), timeout=self._limits.keeper_stop_timeout)
            if not done:
                _log.warning("keeper stops while transactions are in flight; the next start settles them")
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._state = KeeperState.STOPPED

    def report(self) -> KeeperReport:
        """Where it stands."""
        purse, tally = self._purse, self._tally
        state = self._state or KeeperState.RUNNING
        if state is KeeperState.RUNNING and purse.is_low:
            state = KeeperState.OUT_OF_FUNDS
        elif state is KeeperState.RUNNING and purse.is_exhausted:
            state = KeeperState.OUT_OF_BUDGET
        return KeeperReport(
            purse.address, purse.lamports, state, purse.budget, purse.spent, tally.pending, tally.last_pass,
            tally.next_due, tally.copy_of_counts(), tally.last_error,
        )  # fmt: skip

    async def lamports(self) -> int:
        """What the fee payer holds, once more has been asked for where that is possible."""
        await self._fill_purse()
        return self._purse.lamports

    async def one_pass(self) -> Survey:
        """Look once, and do what is due and has its turn. Raises ChoraleError where the chain or the store is away;
        what was in flight then has ended."""
        clock = asyncio.get_running_loop().time
        await self._fill_purse()
        begun = clock()
        survey = await self._surveyor.look(lambda candidate: self._pauses.ready(candidate.key, begun))
        self._look_seconds = clock() - begun
        self._pauses.looked()
        self._unpaid = False
        self._tally.pending, self._tally.next_due = survey.pending, survey.next_expiry
        work, failures = iter(survey.found), list[ChoraleError]()
        workers = min(self._limits.keeper_in_flight, len(survey.found))
        await asyncio.gather(*(self._work(work, survey.now, failures) for _ in range(workers)))
        if failures:
            raise failures[0]
        self._tally.last_pass = int(time.time())
        return survey

    async def _fill_purse(self) -> None:
        await self._purse.refresh()
        if self._replenish is not None and self._purse.lamports < self._limits.keeper_replenish:
            await self._replenish(self._limits.keeper_replenish)
            await self._purse.refresh()

    async def _work(self, work: Iterator[Candidate], now: int, failures: list[ChoraleError]) -> None:
        for candidate in work:
            if self._closed.is_set() or failures:
                return
            try:
                self._count(candidate, await self._errands.run(candidate, now))
            except ChoraleError as error:
                failures.append(error)
            except Exception:  # noqa: BLE001 -- one account must not keep the others from what is due to them
                _log.exception("keeper cannot do %s account=%s", candidate.duty.value, candidate.account)
                self._count(candidate, Result(Ending.REFUSED, "it cannot be done; the log says why"))

    def _count(self, candidate: Candidate, result: Result) -> None:
        count, ending = self._tally.counts[candidate.duty], result.ending
        loop_time = asyncio.get_running_loop().time()
        if result.signature:
            count.sent += 1
            count.lamports += result.lamports
        if ending is Ending.CONFIRMED:
            count.confirmed += 1
            self._pauses.done(candidate.key)
            if candidate.duty is Duty.EXPIRE:
                self._pauses.hasten(Candidate(Duty.REFUND, candidate.account).key, loop_time)
            _log.info(
                "keeper did=%s account=%s signature=%s lamports=%d",
                candidate.duty.value, candidate.account, result.signature, result.lamports,
            )  # fmt: skip
            return
        if ending is Ending.UNPAID:
            count.skipped += 1
            self._unpaid = True
            return
        pause = self._pauses.failed(candidate.key, loop_time)
        match ending:
            case Ending.FAILED:
                count.failed += 1
            case Ending.UNKNOWN:
                count.unknown += 1
            case Ending.REFUSED | Ending.OVERTAKEN:
                count.refused += 1
            case _:
                count.skipped += 1
        text = f"keeper put off={candidate.duty.value} account={candidate.account} for {pause:.0f} s: {result.reason}"
        if ending in (Ending.FAILED, Ending.REFUSED, Ending.UNKNOWN):
            self._tally.last_error = f"{candidate.duty.value} {candidate.account}: {result.reason}"
            _log.warning("%s signature=%s lamports=%d", text, result.signature or "-", result.lamports)
        else:
            _log.info("%s", text)

    async def _run(self) -> None:
        listening = asyncio.create_task(self._listen(), name="keeper listens")
        pause = _FIRST_PAUSE
        try:
            while not self._closed.is_set():
                self._wake.clear()
                try:
                    survey = await self.one_pass()
                    self._state, pause = KeeperState.RUNNING, _FIRST_PAUSE
                    await self._rest(survey)
                    continue
                except ChoraleError as error:
                    self._stalled(error)
                    _log.warning("keeper looks again in %.1f s: %s", pause, error)
                except Exception as error:  # noqa: BLE001 -- whatever it is, the next look may do without it
                    self._stalled(error)
                    _log.exception("keeper looks again in %.1f s", pause)
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _stalled(self, error: Exception) -> None:
        self._state = KeeperState.STALLED
        self._tally.last_error = str(error)

    async def _rest(self, survey: Survey) -> None:
        """Until something may be due: a transaction was heard, a window has ended, a pause is over, or long enough."""
        clock = asyncio.get_running_loop().time
        looked_at = clock()
        await self._sleep(max(self._limits.keeper_pause, _LOAD * self._look_seconds))
        if survey.more and not self._unpaid:
            return
        ends = [looked_at + self._limits.keeper_interval]
        turn = self._pauses.next_turn(looked_at)
        if turn is not None:
            ends.append(turn)
        if survey.next_expiry is not None and not self._polls_clock:
            ends.append(looked_at + survey.next_expiry - survey.now)
        while not self._closed.is_set() and not self._wake.is_set() and (left := min(ends) - clock()) > 0:
            await self._woken(min(left, self._limits.keeper_tick) if self._polls_clock else left)
            if self._polls_clock and await self._is_past(survey.next_expiry):
                return

    async def _is_past(self, expiry: int | None) -> bool:
        return expiry is not None and await self._chain.unix_time() >= expiry

    async def _listen(self) -> None:
        """Wakes the keeper at each of the program's transactions, and once at every connection."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async with aclosing(self._chain.follow()) as feed:
                    await anext(feed)  # the subscription stands
                    pause = _FIRST_PAUSE
                    self._wake.set()
                    async for item in feed:
                        if not isinstance(item, SlotTick):
                            self._wake.set()
            except ChoraleError as error:
                _log.info("keeper listens again in %.1f s and looks regularly until then: %s", pause, error)
            except Exception:  # noqa: BLE001 -- nothing that a connection brings may end this
                _log.exception("keeper listens again in %.1f s", pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless the keeper is closed meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    async def _woken(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
