"""The watcher: follows the chain and has the projector settle whatever changes, whoever changed it.

On every connection: subscribe first, see that the chain is the same, then catch up (from the cursor, or from a snapshot
where there is none), then go live with what the subscription has kept meanwhile. Nodes confirm, list and notify at
their own pace, so that a transaction may slip through in between: what is listed is looked through again, a little
later and then regularly. A transaction that is met twice is settled once. Where a log does not tell which threads it
touched, all threads are looked over, at the next of those looks and once for many such transactions. The protocol is
looked at along with them, and whenever the treasury's balance changes; so is what the chain has left behind in a fork.
A subscription whose slots do not advance is made again. Nothing in a transaction ends this; another chain does.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing

from chorale.announcements import Announcements
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.chain import AccountChange
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError
from chorale.domain.lease import Lease
from chorale.domain.measures import Measures
from chorale.domain.ports import Chain, ContentStore, Index
from chorale.domain.projection import CatchUp, ChainCursor
from chorale.domain.updates import Authority
from chorale.limits import Limits
from chorale.projection.catch_up import Progress
from chorale.projection.chain_identity import ChainReplacedError, check_chain
from chorale.projection.corrections import Corrections
from chorale.projection.forks import ForkWatch
from chorale.projection.hearing import Hearing
from chorale.projection.inbox import Feed, Heard, Inbox, pump
from chorale.projection.intake import Intake
from chorale.projection.leadership import Leadership
from chorale.projection.protocol_looks import ProtocolLooks
from chorale.projection.pulse import watch_pulse
from chorale.projection.settling import Change, Settling
from chorale.projection.staging import StagingCollector
from chorale.projector import Projector
from chorale.reconcile import Reconciler

_log = logging.getLogger(__name__)

_INBOX = 10_000
_FIRST_CHECK, _CHECK = 2.0, 10.0  # s after going live, and between looks at what is listed
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 1.0  # s between attempts, doubling, each shortened by up to a half
_LONG = 30.0  # s without anything from the chain, slots included
_REPORT = 1.0  # s between measures of the lag


class Watcher:
    """Feeds the projector from the chain `genesis_hash`; also collects staged bytes whose lease has passed, and does
    what the holder of `lease` has to."""

    def __init__(
        self,
        chain: Chain,
        projector: Projector,
        index: Index,
        content: ContentStore,
        *,
        genesis_hash: str,
        lease: Lease,
        corrections: Corrections,
        reconciler: Reconciler,
        announcements: Announcements,
        measures: Measures,
        limits: Limits,
    ) -> None:
        self._chain = chain
        self._projector = projector
        self._progress = projector.progress
        self._index = index
        self._genesis_hash = genesis_hash
        self._lease = lease
        self._announcements = announcements
        self._measures = measures
        self._limits = limits
        self._caught_up = asyncio.Event()
        self._hearing = Hearing(projector.progress)
        self._catching_up = Progress(self._tell)
        self._looking: asyncio.Task[None] | None = None
        self._looked_to: ChainCursor | None = None
        self._collector = StagingCollector(chain, content, projector, corrections, reconciler)
        self._leadership = Leadership(lease, content, index, projector, announcements)
        self._settling = Settling(projector, measures)
        self._protocol = ProtocolLooks(chain, projector)
        self._forks = ForkWatch(chain, index, self._progress, reconciler, announcements)
        self._intake = Intake(
            chain, index, self._progress, self._settling, self._protocol, self._forks, projector.floors
        )

    async def caught_up(self) -> None:
        """Wait until derived state has reached the chain for the first time and the content has been checked."""
        await self._caught_up.wait()

    def catch_up(self) -> CatchUp:
        """How far the catch-up of this connection has come."""
        counted, left = self._catching_up, len(self._settling.left)
        return CatchUp(counted.total, counted.done, left, self._hearing.is_live)

    async def ready(self) -> None:
        """Wait until derived state has caught up. AuthorityUnavailableError: the chain is no longer heard."""
        await self._caught_up.wait()
        if (silence := self._hearing.silence) > _LONG:
            raise AuthorityUnavailableError(Authority.SOLANA, f"The chain has not been followed for {silence:.0f} s.")

    @property
    def heard_slot(self) -> int:
        """The newest slot that the chain has told of, where its changes are heard as they happen; else 0."""
        return self._hearing.slot(self._limits.cache_silence)

    async def run(self) -> None:
        """Follow the chain until cancelled; a lost connection is made again. Returns only once the node serves another
        chain, of which nothing here may be kept."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._collector.run(self._lease), name="collect staged content")
                tasks.create_task(self._protocol.run(), name="listen to the treasury")
                tasks.create_task(self._settling.run(), name="settle what was left")
                tasks.create_task(self._lead(), name="follow the lease")
                tasks.create_task(self._report(), name="measure the lag")
                await self._connect(tasks)
        except* ChainReplacedError as errors:
            detail = str(errors.exceptions[0])
            _log.warning(detail)
            self._announcements.announce(AnnouncementKind.CHAIN_RESET, detail, authority=Authority.SOLANA)
            await self._index.end(AnnouncementKind.CHAIN_RESET.value)

    async def _connect(self, tasks: asyncio.TaskGroup) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._hearing.is_live = False
            try:
                async with aclosing(self._chain.follow(accounts=True)) as feed:
                    stands = await anext(feed)
                    self._projector.heard.clear()
                    await self._projector.floors.stand_from(stands.slot)
                    await self._follow(self._projector.floors.listening(feed), tasks)
            except ChainReplacedError:
                raise
            except ChoraleError as error:
                pause = _FIRST_PAUSE if self._hearing.is_live else pause
                _log.warning("Following the chain again within %.1f s: %s", pause, error)
            except Exception:  # noqa: BLE001 -- whatever it is, the next connection may do without it
                _log.exception("Following the chain again within %.1f s", pause)
            self._hearing.is_live = False  # nothing is heard until it is connected again
            # Spread, so that many replicas do not meet a node that comes back all at once.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- nothing is secret about it
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _follow(self, feed: Feed, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        inbox: Inbox = asyncio.Queue(_INBOX)
        pulse = self._hearing.connect()
        pumping = asyncio.create_task(pump(feed, inbox, pulse), name="chain subscription")
        limits = self._limits
        watching = asyncio.create_task(
            watch_pulse(pulse, self._chain, stall=limits.chain_stall, behind=limits.chain_behind_slots),
            name="chain pulse",
        )
        watching.add_done_callback(lambda _: pumping.cancel())
        try:
            await check_chain(self._chain, self._genesis_hash)
            self._looked_to = await self._catch_up(tasks)
            self._hearing.hear()
            self._hearing.is_live = True
            check_at = loop.time() + _FIRST_CHECK
            while (item := await inbox.get()) is not None:
                self._hearing.hear()
                if isinstance(item, AccountChange):
                    self._projector.heard.note(item)
                    continue
                if isinstance(item, Heard):
                    await self._intake.take(item.record, tasks, item.at)
                    continue
                self._hearing.reach(item.slot)
                self._measures.queue_depth("inbox", inbox.qsize())
                await self._projector.save_cursor()
                if loop.time() >= check_at and (self._looking is None or self._looking.done()):
                    self._looking = tasks.create_task(self._look(tasks), name="look at what is listed")
                    check_at = loop.time() + _CHECK
            await (watching if watching.done() else pumping)
        finally:
            for task in (watching, pumping):
                task.cancel()
            await asyncio.gather(watching, pumping, return_exceptions=True)

    async def _catch_up(self, tasks: asyncio.TaskGroup) -> ChainCursor | None:
        """Settle what was missed, first of all derived state. Returns the cursor from which that began."""
        cursor = self._progress.cursor or await self._index.chain_cursor()
        self._catching_up = Progress(self._tell)
        await self._intake.replay_since(cursor, tasks, self._catching_up, wait=True)
        await self._intake.look_over(tasks)
        await self._look_for_forks(tasks)
        await self._settling.done()
        await self._projector.protocol.look()
        await self._projector.save_cursor()
        if not self._caught_up.is_set():
            await self._leadership.check()
            self._hearing.hear()
            self._caught_up.set()
        detail = f"Caught up with {self._catching_up.total} changes."
        if left := self._settling.left:
            thread_id, (_, problem) = next(iter(left.items()))
            detail += f" {len(left)} threads are left to later attempts, {thread_id} because of: {problem}"
        self._announcements.announce(AnnouncementKind.CAUGHT_UP, detail, authority=Authority.SOLANA)
        return cursor

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        """What is listed since the look before the last; a failure leaves it to the next."""
        since, then = self._looked_to, self._progress.cursor
        try:
            await check_chain(self._chain, self._genesis_hash)
            await self._intake.replay_since(since, tasks, Progress(lambda _done, _total: None), wait=False)
            await self._look_for_forks(tasks)
        except ChoraleError as error:
            _log.warning("What is listed is looked at again in %.0f s: %s", _CHECK, error)
        except ChainReplacedError:
            raise
        except Exception:  # noqa: BLE001 -- an account that cannot be read must not end the following of all others
            _log.exception("What is listed is looked at again in %.0f s", _CHECK)
        else:
            self._looked_to = then
        self._intake.start_look_over(tasks)
        self._protocol.start(tasks)

    async def _look_for_forks(self, tasks: asyncio.TaskGroup) -> None:
        for thread_id in await self._forks.look():
            await self._settling.start(tasks, Change(thread_id, 0))

    async def _lead(self) -> None:
        await self._caught_up.wait()
        await self._leadership.run()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_REPORT)
            self._measures.queue_depth("lanes", self._projector.waiting)
            if (lag := self._hearing.lag()) is not None:
                self._measures.watcher_lag(lag)

    def _tell(self, done: int, total: int) -> None:
        detail = f"{done:,} of {total:,} changes of the chain are in derived state."
        self._announcements.announce(AnnouncementKind.CATCHING_UP, detail, authority=Authority.SOLANA)
