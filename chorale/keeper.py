"""The keeper: sends for everybody what anybody may send, once it is due, and pays for it with a keypair of its own.

It reads from the chain alone what is due, and writes to the chain alone: whatever follows from a transaction of its own
comes to the index, and to subscribers, the way every other transaction does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from chorale.domain.errors import ChoraleError
from chorale.domain.ports import Chain, SessionStore, Signer
from chorale.keeper_settings import KeeperSettings
from chorale.keeping.alarm import Alarm
from chorale.keeping.check import Checker
from chorale.keeping.claims import Claims
from chorale.keeping.duties import Candidate, Duty
from chorale.keeping.errand import Ending, Errands, Result
from chorale.keeping.pauses import Pauses
from chorale.keeping.purse import Purse
from chorale.keeping.report import KeeperReport, KeeperState, Tally
from chorale.keeping.survey import Survey, Surveyor
from chorale.limits import Limits

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # s between attempts to reach the chain, doubling

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
        self._alarm = Alarm(chain, limits, polls_clock=polls_clock)
        self._took = 0.0  # s of the last look
        self._unpaid = False
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to run, as a task of its own."""
        self._running = asyncio.create_task(self._run(), name="keeper")

    async def close(self) -> None:
        """Take nothing more on, and finish what is in flight; cut it off after a while."""
        self._alarm.close()
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
        self._took = clock() - begun
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
        if self._replenish is not None and self._purse.lamports < self._limits.keeper_replenish // 10:
            await self._replenish(self._limits.keeper_replenish)
            await self._purse.refresh()

    async def _work(self, work: Iterator[Candidate], now: int, failures: list[ChoraleError]) -> None:
        for candidate in work:
            if self._alarm.is_closed or failures:
                return
            try:
                self._count(candidate, await self._errands.run(candidate, now))
            except ChoraleError as error:
                self._pauses.failed(candidate.key, asyncio.get_running_loop().time())  # should it be this one alone
                failures.append(error)
            except Exception:  # noqa: BLE001 -- one account must not keep the others from what is due to them
                _log.exception("keeper cannot do %s account=%s", candidate.duty.value, candidate.account)
                self._count(candidate, Result(Ending.REFUSED, "it cannot be done; the log says why"))

    def _count(self, candidate: Candidate, result: Result) -> None:
        duty, account, ending = candidate.duty, candidate.account, result.ending
        now = asyncio.get_running_loop().time()
        self._tally.counts[duty].add(result)
        if ending is Ending.CONFIRMED:
            self._pauses.done(candidate.key)
            if duty is Duty.EXPIRE:
                self._pauses.hasten(Candidate(Duty.REFUND, account).key, now)
            _log.info(
                "keeper did=%s account=%s signature=%s lamports=%d",
                duty.value, account, result.signature, result.lamports,
            )  # fmt: skip
        elif ending is Ending.UNPAID:
            self._unpaid = True  # which is told once, and not of each piece of work
        else:
            went_wrong = ending in (Ending.FAILED, Ending.REFUSED, Ending.UNKNOWN)
            if went_wrong:
                # Everybody who is signed in may read it: which message that is, the log says.
                self._tally.last_error = f"{duty.value}: {result.reason}"
            _log.log(
                logging.WARNING if went_wrong else logging.INFO,
                "keeper put off=%s account=%s for %.0f s: %s signature=%s lamports=%d",
                duty.value, account, self._pauses.failed(candidate.key, now), result.reason,
                result.signature or "-", result.lamports,
            )  # fmt: skip

    async def _run(self) -> None:
        listening = asyncio.create_task(self._alarm.listen(), name="keeper listens")
        pause = _FIRST_PAUSE
        try:
            while not self._alarm.is_closed:
                self._alarm.arm()
                try:
                    survey = await self.one_pass()
                    self._state, pause = KeeperState.RUNNING, _FIRST_PAUSE
                    turn = self._pauses.next_turn(asyncio.get_running_loop().time())
                    await self._alarm.rest(survey, self._took, turn, hurry=survey.more and not self._unpaid)
                    continue
                except ChoraleError as error:
                    self._stalled(error)
                    _log.warning("keeper looks again in %.1f s: %s", pause, error)
                except Exception as error:  # noqa: BLE001 -- whatever it is, the next look may do without it
                    self._stalled(error)
                    _log.exception("keeper looks again in %.1f s", pause)
                await self._alarm.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    def _stalled(self, error: Exception) -> None:
        self._state = KeeperState.STALLED
        self._tally.last_error = str(error)
