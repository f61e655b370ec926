"""The keeper that runs notices what comes due at once, waits out its grace, and stops when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any, cast

from chorale.domain.chain import TransactionRefusedError
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import FeedItem
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from chorale.keeper import Keeper
from chorale.keeping.report import KeeperState
from tests.keeper.field import AT_ONCE, LIMITS, Field, done
from tests.patience import PATIENCE


async def until(condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> float:
    """Wait until something shows; how many seconds that took."""
    begun = time.monotonic()
    async with asyncio.timeout(timeout):
        while not condition():
            await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def looked(keeper: Keeper) -> None:
    """Wait for its first pass."""
    await until(lambda: keeper.report().last_pass is not None, "the first pass")


class ChainBetween:
    """The chain, with calls that may be kept from it."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.away = False
        self.deaf = False
        self.calls: list[str] = []
        self.before_send: Callable[[], Awaitable[None]] | None = None

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        if self.away and name != "program_id":
            raise AuthorityUnavailableError(Authority.SOLANA)
        return getattr(self._chain, name)

    async def send(self, transaction: bytes) -> str:
        """Sends, after whatever a test wants to happen before."""
        if self.before_send is not None:
            await self.before_send()
        return await self._chain.send(transaction)

    async def follow(self, **options: bool) -> AsyncGenerator[FeedItem, None]:
        """The feed, or none."""
        if self.deaf:
            raise AuthorityUnavailableError(Authority.SOLANA)
        async for item in self._chain.follow(**options):
            yield item


async def test_a_leap_of_the_clock_is_noticed_at_once(land: Field) -> None:
    """The message came after the keeper's first look; it is expired, and refunded, moments after the leap."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    async with land.keeper() as keeper:
        keeper.start()
        await looked(keeper)
        purse = await land.tokens(ben)
        await land.submit(ben, thread_id)
        await until(lambda: keeper.report().pending == 1, "the message")
        await land.expire_all()
        took = await until(lambda: done(keeper) == {"expire": 1, "refund": 1}, "expiry and refund")
        assert took < 5
        assert await land.tokens(ben) == purse


async def test_what_is_due_before_its_message_was_seen_is_found_too(land: Field) -> None:
    """Submission and leap come between two looks."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    async with land.keeper() as keeper:
        keeper.start()
        await looked(keeper)
        await land.submit(ben, thread_id)
        await land.expire_all()
        await until(lambda: done(keeper) == {"expire": 1, "refund": 1}, "expiry and refund")


async def test_grace_leaves_time_to_others(land: Field) -> None:
    """Nothing is sent until two seconds after it was found due, however long the window has been over."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    await land.submit(ben, thread_id)
    async with land.keeper(settings=replace(AT_ONCE, grace=2)) as keeper:
        keeper.start()
        await looked(keeper)
        begun = time.monotonic()
        await land.expire_all()
        await until(lambda: done(keeper).get("expire") == 1, "the end of the grace")
        assert time.monotonic() - begun >= 2
        await until(lambda: done(keeper).get("refund") == 1, "the refund")


async def test_what_follows_from_its_own_work_has_no_grace_of_its_own(land: Field) -> None:
    """The look after the one that expired a message refunds it, whenever that is."""
    ana, ben = await land.actor(), await land.actor()
    content_hash = await land.submit(ben, thread_id := await land.thread(ana))
    await land.expire_all()
    async with land.keeper(settings=replace(AT_ONCE, grace=1)) as keeper:
        await keeper.one_pass()
        assert done(keeper) == {}
        assert await land.landed_on(land.address(thread_id, content_hash)) == 1  # its submission
        async with asyncio.timeout(PATIENCE):
            while not done(keeper):
                await keeper.one_pass()
        assert done(keeper) == {"expire": 1}
        await keeper.one_pass()
        assert done(keeper) == {"expire": 1, "refund": 1}


async def test_without_a_subscription_it_looks_regularly(land: Field) -> None:
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    between = ChainBetween(land.chain)
    between.deaf = True
    limits = replace(LIMITS, keeper_interval=0.5)
    async with land.keeper(chain=cast("Chain", between), limits=limits, polls_clock=False) as keeper:
        keeper.start()
        await looked(keeper)
        content_hash = await land.submit(ben, thread_id)
        await land.cancel(ben, thread_id, content_hash)
        await until(lambda: done(keeper) == {"refund": 1}, "the refund")


async def test_a_chain_that_is_away_is_shown_and_found_again(land: Field) -> None:
    between = ChainBetween(land.chain)
    limits = replace(LIMITS, keeper_interval=0.2)
    async with land.keeper(chain=cast("Chain", between), limits=limits) as keeper:
        keeper.start()
        await looked(keeper)
        between.away = True
        await until(lambda: keeper.report().state is KeeperState.STALLED, "the state")
        assert "SOLANA" in (keeper.report().last_error or "")
        between.away = False
        await until(lambda: keeper.report().state is KeeperState.RUNNING, "the recovery")
    assert keeper.report().state is KeeperState.STOPPED


async def test_at_rest_it_asks_for_little(land: Field) -> None:
    """Where nothing happens, one look serves until the next window ends: the clock is read, nothing else."""
    ana, ben = await land.actor(), await land.actor()
    await land.submit(ben, await land.thread(ana))
    between = ChainBetween(land.chain)
    async with land.keeper(chain=cast("Chain", between)) as keeper:
        keeper.start()
        await looked(keeper)
        # The subscription wakes it once; by then it stands.
        await until(lambda: between.calls.count("program_accounts") >= 8, "the second look")
        await asyncio.sleep(0.5)
        between.calls.clear()
        await asyncio.sleep(1.0)
        assert set(between.calls) == {"unix_time"}
        assert len(between.calls) <= 1.0 / LIMITS.keeper_tick + 1


async def test_it_finishes_what_is_in_flight_when_it_is_closed(land: Field) -> None:
    """Closed while it sends: that transaction is confirmed and counted, nothing further is begun."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    for _ in range(3):
        await land.submit(ben, thread_id)
    await land.expire_all()
    between, sending = ChainBetween(land.chain), asyncio.Event()

    async def tell() -> None:
        sending.set()
        await asyncio.sleep(0.2)

    between.before_send = tell
    limits = replace(LIMITS, keeper_in_flight=1)
    async with land.keeper(chain=cast("Chain", between), limits=limits) as keeper:
        keeper.start()
        await sending.wait()
        await keeper.close()
        assert done(keeper) == {"expire": 1}
        assert len(await land.paid_by(keeper)) == 1


async def test_what_does_not_end_is_cut_off(land: Field) -> None:
    """A send that hangs does not keep the server from stopping; its claim stays."""
    ana, ben = await land.actor(), await land.actor()
    await land.submit(ben, await land.thread(ana))
    await land.expire_all()
    between, sending = ChainBetween(land.chain), asyncio.Event()

    async def hang() -> None:
        sending.set()
        await asyncio.Event().wait()

    between.before_send = hang
    limits = replace(LIMITS, keeper_stop_timeout=0.2)
    async with land.keeper("hung", chain=cast("Chain", between), limits=limits) as keeper:
        keeper.start()
        await sending.wait()
        begun = time.monotonic()
        await keeper.close()
        assert time.monotonic() - begun < LIMITS.keeper_stop_timeout
    async with land.keeper("hung", limits=replace(LIMITS, keeper_first_pause=0.0)) as other:
        await other.one_pass()
        assert done(other) == {}
        await land.running.rpc("chorale_advanceSlots", {"slots": 200})
        await other.one_pass()
        assert done(other) == {"expire": 1}


async def test_what_went_wrong_is_shown_without_naming_a_message(land: Field) -> None:
    """Everybody who is signed in reads the reason; which message it was about is not theirs to see."""
    ana, ben = await land.actor(), await land.actor()
    thread_id = await land.thread(ana)
    content_hash = await land.submit(ben, thread_id)
    await land.cancel(ben, thread_id, content_hash)
    between = ChainBetween(land.chain)

    async def refuse() -> None:
        raise TransactionRefusedError(None, (), "the node is in no mood")

    between.before_send = refuse
    async with land.keeper(chain=cast("Chain", between)) as keeper:
        await keeper.one_pass()
        assert keeper.report().last_error == "refund: the node is in no mood"
