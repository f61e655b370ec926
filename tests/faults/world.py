"""One server with its writers, its strangers and the model of what was acknowledged: what every scenario runs on."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.chains import RunningChain
from tests.cli.commands import chorale
from tests.faults.onchain import OnChain
from tests.faults.promises import check_deed, check_events, check_nothing_leaks, converged
from tests.faults.report import Healing, ScenarioReport
from tests.faults.strangers import Strangers, looking
from tests.faults.writers import Deed, Pair, UnansweredError, make_pairs
from tests.patience import PATIENCE
from tests.processes import lasting_port
from tests.redis import RunningRedis
from tests.stack import RunningServer, running_stack

_RECOVERY = 90.0  # s; a bound on waiting, not on what is measured
_RECOVERY_OF_CLUSTER = 300.0  # the same where what is certain is finalized, three times in a row, at a cluster's pace
_LOOK = 0.05
NOT_JUDGED = "verify again to judge it"
_LOG_CHARS = 6000  # of a server's log, for whoever looks into a violation


@dataclass(frozen=True)
class Options:
    """How a run goes. `cluster` is a chain that runs by itself instead of the embedded one, `redis` one instead
    of memory; `short` leaves out what a longer run repeats."""

    seed: int
    folder: Path
    models: Path
    kills: int = 24
    short: bool = False
    cluster: RunningChain | None = None
    redis: RunningRedis | None = None

    @property
    def chain_name(self) -> str:
        """ "localnet" or "validator"."""
        return "localnet" if self.cluster is None else self.cluster.name


@dataclass
class World:
    """`chain` is asked past every proxy. `made_by_server` are events that the server is allowed to have added, `public`
    the bodies that have been published once: whatever history becomes, they may have been read."""

    options: Options
    server: RunningServer
    chain: OnChain
    dice: random.Random
    report: ScenarioReport
    pairs: list[Pair] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    made_by_server: Collection[str] = ("UpdateVerified",)
    public: set[str] = field(default_factory=set)

    def deeds(self) -> list[Deed]:
        """All deeds, in no order."""
        return [deed for pair in self.pairs for deed in pair.deeds]

    async def settle_down(self, pairs: int = 1) -> Pair:
        """Make the writers; the first, with a thread that holds a published message and a pending one."""
        self.pairs = await make_pairs(self.server, pairs, self.begun.set)
        first = self.pairs[0]
        for verb in ("createThread", "postMessage", "submitMessage"):
            await (await first.begin(verb)).run()
        return first

    async def start(self) -> tuple[float, float]:
        """Start the server anew; when its process was started and when it was ready (monotonic)."""
        started = time.monotonic()
        await asyncio.to_thread(self.server.start)
        await self.ready()
        return started, time.monotonic()

    async def restart(self) -> tuple[float, float]:
        """Kill the server and start it anew; see `start`."""
        await asyncio.to_thread(self.server.kill)
        return await self.start()

    async def next_begin(self, writing: Collection[asyncio.Task[None]]) -> None:
        """Wait until one of those who write begins with a deed."""
        self.begun.clear()
        waiting = asyncio.create_task(self.begun.wait())
        await asyncio.wait((waiting, *writing), return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
        assert waiting.done(), [task for task in writing if task.done()]

    async def verify(self, *options: str) -> tuple[int, str, str]:
        """`chorale verify`: its exit code, report and progress. Asked again where a cluster that has too much to do had
        not finalized what differs."""
        deadline = time.monotonic() + _RECOVERY_OF_CLUSTER
        while True:
            code, out, err = await asyncio.to_thread(chorale, "verify", *options, **self.server.settings)
            if NOT_JUDGED not in out or time.monotonic() > deadline:
                return code, out, err

    async def ready(self) -> None:
        """Wait for the server's own word."""
        deadline = time.monotonic() + _RECOVERY
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as http:
            while time.monotonic() < deadline:
                with suppress(httpx.HTTPError):
                    if (await http.get(f"{self.server.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(_LOOK)
        raise AssertionError(self.server.log.read_text()[-4000:])

    async def agreed(
        self,
        injected: str,
        healed: str,
        mended: float,
        started: float | None = None,
        until: Callable[[], Awaitable[bool]] | None = None,
        settled: Callable[[bool | None], None] = lambda _: None,
    ) -> None:
        """Wait until derived state says what the chain says, and until `until` holds, and note how long it took since
        `mended` and `started` (monotonic). What was unacknowledged is settled and every promise checked afterwards."""
        await self.reached()
        if until is not None:
            patience = _RECOVERY if self.options.cluster is None else _RECOVERY_OF_CLUSTER
            await eventually(until, f"{injected}: not healed", patience)
        now = time.monotonic()
        self.report.healed(Healing(injected, healed, now - mended, None if started is None else now - started))
        for pair in self.pairs:
            settled(await self.settle(pair))
        await self.check()

    async def reached(self) -> None:
        """Wait until every thread that was written to since the last check is derived."""
        for thread_id in {deed.thread_id for pair in self.pairs for deed in pair.deeds[pair.checked :]}:
            await converged(self.server, self.chain, thread_id)

    async def settle(self, pair: Pair, *, again: bool | None = None) -> bool | None:
        """What became of a pair's last deed, where it was not acknowledged: by asking again, or by looking. None where
        there is nothing to settle."""
        if not pair.deeds or pair.deeds[-1].status:
            return None
        last = pair.deeds[-1]
        if again or (again is None and self.dice.random() < 0.5):
            with suppress(UnansweredError):
                await last.run()
            await converged(self.server, self.chain, last.thread_id)
        whole = await check_deed(self.server, self.chain, last, pair.owner)
        assert not (whole and last.expired), f"called expired and on chain: {last}"
        pair.settle(whole=whole)
        return whole

    async def check(self, *, everything: bool = False) -> int:
        """All promises: of threads that were written to since the last check, or of all. Returns how many events of
        these threads were counted, once and in order."""
        events = 0
        for pair in self.pairs:
            threads = {deed.thread_id for deed in pair.deeds[0 if everything else pair.checked :]}
            pair.checked = len(pair.deeds)
            made = {deed.thread_id: True for deed in pair.deeds if deed.thread_id in threads}
            for deed in pair.deeds:
                if deed.thread_id in threads:
                    landed = await check_deed(self.server, self.chain, deed, pair.owner)
                    if deed.verb == "createThread":
                        made[deed.thread_id] = landed
            for thread_id in (thread_id for thread_id, is_made in made.items() if is_made):
                events += await check_events(self.chain, thread_id, pair.owner, made_by_server=self.made_by_server)
                await check_nothing_leaks(self.server, self.chain, thread_id)
        return events


@asynccontextmanager
async def open_world(
    options: Options,
    report: ScenarioReport,
    *,
    cluster: RunningChain | None = None,
    direct: RunningChain | None = None,
    launcher: tuple[str, ...] = ("-m", "chorale"),
    folder: str = "data",
    **environ: str,
) -> AsyncIterator[World]:
    """A server of its own for one scenario, with strangers who look all the time. `cluster` is the chain as the server
    reaches it (embedded where there is none), `direct` the same past every proxy; its data is in `folder` of the
    scenario's; `environ` are further `CHORALE_…`."""
    settings = {"CHORALE_PORT": str(lasting_port()), "CHORALE_CHAIN_RPC_PORT": str(lasting_port(pair=True))}
    if options.redis is not None:
        settings["CHORALE_CACHE_URL"] = options.redis.url
    chain = cluster or options.cluster
    data = options.folder / report.name / folder
    with running_stack(data, options.models, chain, launcher=launcher, **settings | environ) as server:
        asked = OnChain(direct or chain or server.chain)
        world = World(options, server, asked, random.Random(report.seed), report)
        strangers = Strangers(server, asked, world.deeds, world.public)
        try:
            async with looking(strangers):
                yield world
                await world.check(everything=True)
        except BaseException:
            report.log = server.log.read_text()[-_LOG_CHARS:]
            raise
        finally:
            report.shown += strangers.shown
            report.looks += strangers.looks
            report.mutations += len(world.deeds())
            report.acknowledged += sum(1 for deed in world.deeds() if deed.status)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, timeout: float = _RECOVERY) -> None:
    """Wait for something that becomes true by itself."""
    deadline = time.monotonic() + timeout
    while not await condition():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(_LOOK)
