"""Whenever server or chain are killed: what was acknowledged is on chain with its content, every event logged once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.faults.onchain import OnChain
from tests.faults.promises import check_deed, check_events, check_nothing_leaks, converged
from tests.faults.writers import Deed, Pair, UnansweredError, make_pairs
from tests.processes import child_of, free_port, is_running, needs_proc
from tests.stack import RunningServer, running_stack

# The server starts a dead chain again three times in five minutes, so no more than that in a row without a new server.
KILLS = ("server", "chain", "server", "chain", "both", "chain", "chain", "server") * 3
_DELAY = 0.25  # s; longer than a mutation takes
_PAIRS = 3
_RECOVERY = 60.0


@needs_proc
@pytest.mark.faults
@pytest.mark.timeout(420)
async def test_kills_at_any_moment(tmp_path: Path, models: Path) -> None:
    """24 kills while mutations run; after each, all that those in flight and their threads promise is checked."""
    seed = int(os.environ.get("CHORALE_TEST_SEED", time.time_ns() % 10**6))
    print(f"CHORALE_TEST_SEED={seed}")
    ports: dict[str, str] = {"CHORALE_PORT": str(free_port()), "CHORALE_CHAIN_RPC_PORT": str(free_port(pair=True))}
    with running_stack(tmp_path / "data", models, None, **ports) as server:
        run = _Run(server, random.Random(seed))
        await run.begin()
        for victim in KILLS:
            await run.round(victim)
        await run.check(everything=True)
        run.report()


class _Run:
    def __init__(self, server: RunningServer, dice: random.Random) -> None:
        self._server = server
        self._dice = dice
        self._chain = OnChain(server.chain)
        self._begun = asyncio.Event()
        self._pairs: list[Pair] = []
        self._events = 0
        self._recoveries: dict[str, list[float]] = {}
        self._cut_off = {True: 0, False: 0}

    async def begin(self) -> None:
        """Make the wallets."""
        self._pairs = await make_pairs(self._server, _PAIRS, self._begun.set)

    async def round(self, victim: str) -> None:
        """Write, kill, recover, check."""
        stopping = asyncio.Event()
        writing = [asyncio.create_task(pair.write(stopping)) for pair in self._pairs]
        for _ in range(self._dice.randint(1, 6)):  # deeds begin, some end; the kill comes somewhere after the last
            await self._next_begin(writing)
        delay = self._dice.uniform(0, _DELAY)
        await asyncio.sleep(delay)
        killed_at = time.monotonic()
        await self._kill(victim)
        stopping.set()
        if victim != "chain":
            await asyncio.to_thread(self._server.start)
        await self._ready()
        await asyncio.gather(*writing)
        for thread_id in {pair.thread_id for pair in self._pairs} - {""}:
            await converged(self._server, self._chain, thread_id)
        recovered = time.monotonic() - killed_at
        for pair in self._pairs:
            await self._settle(pair)
        await self.check()
        self._recoveries.setdefault(victim, []).append(recovered)
        print(f"{victim} killed after {delay * 1000:.0f} ms; all of one mind {recovered:.1f} s later")

    async def check(self, *, everything: bool = False) -> None:
        """All promises: of threads that were written to since the last check, or of all."""
        self._events = 0
        for pair in self._pairs:
            threads = {deed.thread_id for deed in pair.deeds[0 if everything else pair.checked :]}
            pair.checked = len(pair.deeds)
            made = {deed.thread_id: True for deed in pair.deeds if deed.thread_id in threads}
            for deed in pair.deeds:
                if deed.thread_id in threads:
                    landed = await check_deed(self._server, self._chain, deed, pair.owner)
                    if deed.verb == "createThread":
                        made[deed.thread_id] = landed
            for thread_id in (thread_id for thread_id, is_made in made.items() if is_made):
                self._events += await check_events(self._chain, thread_id, pair.owner)
                await check_nothing_leaks(self._server, self._chain, thread_id)

    def report(self) -> None:
        """What was seen, for whoever reads the output."""
        deeds = [deed for pair in self._pairs for deed in pair.deeds]
        acknowledged = sum(1 for deed in deeds if deed.status)
        print(
            f"{len(KILLS)} kills, {len(deeds)} mutations, {acknowledged} acknowledged in the end; of those cut "
            f"off {self._cut_off[True]} were whole and {self._cut_off[False]} had not happened; "
            f"{self._events} events once and in order"
        )
        for victim, recoveries in self._recoveries.items():
            median, worst = sorted(recoveries)[len(recoveries) // 2], max(recoveries)
            print(f"{victim}: from the kill until all are of one mind {median:.1f} s (median), {worst:.1f} s (worst)")

    async def _next_begin(self, writing: list[asyncio.Task[None]]) -> None:
        self._begun.clear()
        waiting = asyncio.create_task(self._begun.wait())
        await asyncio.wait((waiting, *writing), return_when=asyncio.FIRST_COMPLETED, timeout=30)
        assert waiting.done(), [task for task in writing if task.done()]

    async def _settle(self, pair: Pair) -> None:
        """What became of a pair's last deed, where it was not acknowledged: by asking again, or by looking."""
        if not pair.deeds or pair.deeds[-1].status:
            return
        last: Deed = pair.deeds[-1]
        if self._dice.random() < 0.5:
            with suppress(UnansweredError):
                await last.run()
            await converged(self._server, self._chain, last.thread_id)
        whole = await check_deed(self._server, self._chain, last, pair.owner)
        assert not (whole and last.expired), f"called expired and on chain: {last}"
        self._cut_off[whole] += 1
        pair.settle(whole=whole)

    async def _kill(self, victim: str) -> None:
        chain = child_of(self._server.pid)
        if victim != "server":
            os.kill(chain, signal.SIGKILL)
        if victim != "chain":
            await asyncio.to_thread(self._server.kill)
        else:
            while is_running(chain):
                await asyncio.sleep(0.01)

    async def _ready(self) -> None:
        deadline = time.monotonic() + _RECOVERY
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=5) as http:
            while time.monotonic() < deadline:
                with suppress(httpx.HTTPError):
                    if (await http.get(f"{self._server.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(self._server.log.read_text()[-4000:])
