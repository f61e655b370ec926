"""Whatever a subscription does (stall, repeat, leave out, turn around, break), each event is logged once, in order."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from chorale import watcher
from chorale.checking.rows import thread_difference
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.chain import AccountChange, SlotTick
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import EventPosition, FeedItem, TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from chorale.projection import settling
from chorale.projector import Projector
from programs.accounts import decode_thread
from programs.events import events_in
from tests.patience import PATIENCE
from tests.spine.parts import Actor, Parts

pytestmark = pytest.mark.asyncio(loop_scope="session")

Item = FeedItem


class Feeds:
    """The chain, each of whose subscriptions passes through `shape` (number of the connection, item): what it gives
    comes instead, and None breaks the connection."""

    def __init__(self, chain: Chain, shape: Callable[[int, Item], list[Item] | None]) -> None:
        self._chain = chain
        self._shape = shape
        self.connections = 0

    async def follow(self, **options: bool) -> AsyncGenerator[Item, None]:
        self.connections += 1
        number, is_first = self.connections, True
        async with aclosing(self._chain.follow(**options)) as feed:
            async for item in feed:
                shaped = [item] if is_first else self._shape(number, item)
                is_first = False
                if shaped is None:
                    raise AuthorityUnavailableError(Authority.SOLANA, "The test broke the connection.")
                for each in shaped:
                    yield each

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)


def through(parts: Parts, shape: Callable[[int, Item], list[Item] | None], **limits: Any) -> tuple[Parts, Feeds]:
    """The parts behind such subscriptions."""
    feeds: Any = Feeds(parts.chain, shape)
    projector = Projector(feeds, parts.content, parts.embedder, parts.index)
    return replace(parts, chain=feeds, projector=projector, limits=replace(parts.limits, **limits)), feeds


async def thread(parts: Parts, actor: Actor, title: str) -> str:
    """A new thread, made past the server; its id."""
    draft = actor.thread(title)
    await parts.stage(draft.content)
    await actor.send(draft.instruction)
    return draft.content.key.thread_id


async def post(parts: Parts, actor: Actor, thread_id: str, body: str) -> None:
    """A post past the server."""
    draft = actor.post(thread_id, body)
    await parts.stage(draft.content)
    await actor.send(draft.instruction)


async def logged(parts: Parts, thread_id: str) -> list[tuple[int, int, str | None]]:
    """Sequence, ordinal and signature of a thread's log."""
    batch = await parts.index.events_after(thread_id, EventPosition("", 0, thread_id, 0, 0), 1000)
    assert batch.gap is None
    return [(each.sequence, each.ordinal, each.signature) for each in batch.events]


async def on_chain(parts: Parts, thread_id: str) -> list[tuple[int, int, str | None]]:
    """The same from the transactions, by a client that is not the server's."""
    address = parts.running.addresses.thread(thread_id)
    found = []
    for entry in await parts.running.rpc("getSignaturesForAddress", address, {"commitment": "confirmed"}):
        config = {"commitment": "confirmed", "maxSupportedTransactionVersion": 0}
        meta = (await parts.running.rpc("getTransaction", entry["signature"], config))["meta"]
        events, _ = events_in(meta["logMessages"], parts.running.program_id)
        found += [(each.sequence, each.ordinal, entry["signature"]) for each in events if each.thread == address]
    return sorted(found)


def no_ticks(item: Item) -> list[Item]:
    """An open socket that says nothing."""
    return []


def same_slot(item: Item) -> list[Item]:
    """A subscription whose slots stand still."""
    return [SlotTick(1)]


def far_behind(item: Item) -> list[Item]:
    """A subscription whose slots advance, far below those of the node's reads."""
    return [SlotTick(max(item.slot - 40, 1))]


@pytest.mark.parametrize("stalled", [no_ticks, same_slot, far_behind])
async def test_a_subscription_without_new_slots_is_made_again(
    parts: Parts, ana: Actor, stalled: Callable[[Item], list[Item]]
) -> None:
    """Transactions that an open connection keeps to itself arrive by the next one."""
    shape = lambda number, item: stalled(item) if number == 1 else [item]  # noqa: E731
    shaped, feeds = through(parts, shape, chain_stall=1.5, chain_behind_slots=20)
    if parts.running.name == "localnet":  # a validator has come that far while it started
        await parts.running.rpc("chorale_advanceSlots", 2_000)
    async with shaped.watch():
        thread_id = await thread(parts, ana, "Held back")
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while feeds.connections < 2 or shaped.measures.now().watcher_lag_slots > 5:
                await asyncio.sleep(0.1)


async def test_each_event_is_logged_once_and_in_order(
    parts: Parts, ana: Actor, ben: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fed twice, out of order, with gaps and through new connections, the logs are those of the chain."""
    seed = int(os.environ.get("CHORALE_TEST_SEED", time.time_ns() % 10**6))
    print(f"CHORALE_TEST_SEED={seed}")
    dice = random.Random(seed)
    monkeypatch.setattr(watcher, "_FIRST_CHECK", 0.5)
    monkeypatch.setattr(watcher, "_CHECK", 1.0)
    heard: list[Item] = []

    def shape(_: int, item: Item) -> list[Item] | None:
        if isinstance(item, SlotTick):
            return [item]
        heard.append(item)
        match dice.randrange(6):
            case 0:
                return []
            case 1:
                return [item, item]
            case 2:
                return [*reversed(heard[-4:])]
            case 3:
                return [*dice.sample(heard, min(3, len(heard))), item]
            case 4:
                return None
        return [item]

    shaped, feeds = through(parts, shape)
    async with shaped.watch():
        threads = [await thread(parts, actor, "Fed at random") for actor in (ana, ben, ana)]

        async def write(thread_id: str, actor: Actor) -> None:
            for number in range(12):
                await post(parts, actor, thread_id, f"Post {number}")

        await asyncio.gather(*(write(*each) for each in zip(threads, (ana, ben, ana), strict=True)))
        for thread_id in threads:
            assert await parts.index.wait_for(thread_id, 13, PATIENCE)
            assert await logged(parts, thread_id) == await on_chain(parts, thread_id)
        assert shaped.measures.now().state_sync_delay.count > 0
    assert feeds.connections > 1


def withheld(_: list[AccountChange], item: Item) -> list[Item]:
    """A node that tells transactions and not what they make of accounts."""
    return [] if isinstance(item, AccountChange) else [item]


def outdated(told: list[AccountChange], item: Item) -> list[Item]:
    """Accounts as they first were, told as if they were of now."""
    if not isinstance(item, AccountChange):
        return [item]
    told.append(item)
    first = next(each for each in told if each.account.address == item.account.address)
    return [replace(first, slot=item.slot)]


def misplaced(told: list[AccountChange], item: Item) -> list[Item]:
    """One account's bytes under another's address."""
    if not isinstance(item, AccountChange):
        return [item]
    told.append(item)
    return [replace(item, account=replace(told[0].account, address=item.account.address))]


@pytest.mark.parametrize("altered", [withheld, outdated, misplaced])
async def test_accounts_that_are_told_wrongly_are_read(
    parts: Parts, ana: Actor, altered: Callable[[list[AccountChange], Item], list[Item]]
) -> None:
    """What a subscription says of accounts saves reads, and is never all that derived state rests on."""
    told: list[AccountChange] = []
    shaped, _ = through(parts, lambda _, item: altered(told, item))
    async with shaped.watch():
        thread_id = await thread(parts, ana, "Told wrongly")
        for number in range(3):
            await post(parts, ana, thread_id, f"Post {number}")
        assert await parts.index.wait_for(thread_id, 4, PATIENCE)
    assert await logged(parts, thread_id) == await on_chain(parts, thread_id)
    address = parts.running.addresses.thread(thread_id)
    account = (await parts.chain.accounts([address])).accounts[0]
    assert account is not None
    kept = (await parts.index.kept_threads([thread_id]))[thread_id]
    assert thread_difference(decode_thread(address, account.data), kept) is None


class Counted:
    """The chain, with a count of what is asked of it."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        self.asked[name] += 1
        return getattr(self._chain, name)


@pytest.mark.parametrize("running", ["localnet"], indirect=True)  # a validator keeps accounts and logs in no order
async def test_what_is_told_is_projected_without_a_read(parts: Parts, ana: Actor, ben: Actor) -> None:
    """A submission of another wallet and its vote reach the index, the log and the cache, and the chain is asked for
    nothing about them."""
    counted: Any = Counted(parts.chain)
    projector = Projector(counted, parts.content, parts.embedder, parts.index, cache=parts.cache)
    told = replace(parts, chain=counted, projector=projector)
    async with told.watch():
        thread_id = await thread(parts, ana, "Told")
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        await parts.running.rpc("chorale_advanceSlots", 2)  # nothing of the slot in which listening began is kept
        counted.asked.clear()
        draft = ben.submit(thread_id, "Rivers carry stones to the sea.")
        await ben.send(draft.instruction)
        assert await parts.index.wait_for(thread_id, 2, PATIENCE)
        await ana.send(ana.vote(thread_id, draft.hash, approve=True))
        assert await parts.index.wait_for(thread_id, 3, PATIENCE)
        asked = {name: counted.asked[name] for name in ("accounts", "history", "transactions", "program_accounts")}
        assert asked == dict.fromkeys(asked, 0)
    addresses = parts.running.addresses
    address = addresses.thread(thread_id)
    held = await parts.cache.get([address, addresses.message(address, draft.hash)])
    assert {entry.version for entry in held.values()} == {3}
    assert len(held) == 2
    assert projector.floors.up_to(address) == 3


class Lumps(Counted):
    """The same, with a subscription that holds back what it tells of so many transactions, then tells it lump by lump,
    each as soon as the one before is in the index or in the middle of its way there."""

    held = 0

    async def follow(self, **options: bool) -> AsyncGenerator[Item, None]:
        kept: list[Item] = []
        dice = random.Random(7)
        async with aclosing(self._chain.follow(**options)) as feed:
            async for item in feed:
                if isinstance(item, SlotTick) or not self.held:
                    yield item
                    continue
                kept.append(item)
                self.held -= isinstance(item, TransactionRecord)
                if not self.held:
                    for each in kept:
                        yield each
                        if isinstance(each, TransactionRecord) and dice.random() < 0.3:
                            await asyncio.sleep(dice.choice((0, 0.001, 0.002, 0.004)))


@pytest.mark.parametrize("running", ["localnet"], indirect=True)
async def test_what_comes_in_lumps_is_projected_without_a_read(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round that is under way finds no account that is ahead of the transactions it knows of."""
    monkeypatch.setattr(watcher, "_FIRST_CHECK", 3600.0)  # only what is told
    lumps: Any = Lumps(parts.chain)
    projector = Projector(lumps, parts.content, parts.embedder, parts.index, cache=parts.cache)
    told = replace(parts, chain=lumps, projector=projector)
    async with told.watch():
        thread_id = await thread(parts, ana, "Lumps")
        assert await parts.index.wait_for(thread_id, 1, PATIENCE)
        await parts.running.rpc("chorale_advanceSlots", 2)
        lumps.asked.clear()
        lumps.held = most = 120
        for at in range(0, most, 8):
            await asyncio.gather(*(post(parts, ana, thread_id, f"Lump {at + number}") for number in range(8)))
        assert await parts.index.wait_for(thread_id, 1 + most, PATIENCE)
        asked = {name: lumps.asked[name] for name in ("accounts", "history", "transactions", "program_accounts")}
        assert asked == dict.fromkeys(asked, 0)
    assert await logged(parts, thread_id) == await on_chain(parts, thread_id)


async def test_a_thread_that_fails_holds_up_neither_readiness_nor_others(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some attempts it is left, and announced; the first catch-up ends; once it can be settled, it is."""
    monkeypatch.setattr(settling, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(settling, "_LATER", 0.2)
    bad, good = await thread(parts, ana, "Bad"), await thread(parts, ana, "Good")
    settle, failing = parts.projector.settle, True

    async def settling_once(thread_id: str, *args: Any, **options: Any) -> Any:
        if thread_id == bad and failing:
            raise AuthorityUnavailableError(Authority.QDRANT, "Not this one.")
        return await settle(thread_id, *args, **options)

    monkeypatch.setattr(parts.projector, "settle", settling_once)
    async with parts.watch() as watching:
        assert watching.catch_up().finished
        assert watching.catch_up().left == 1
        [told] = [made.detail for made in parts.announcements.recent() if made.kind is AnnouncementKind.CAUGHT_UP]
        assert bad in told
        assert "Not this one." in told
        assert await parts.index.thread_sequence(good) == 1
        await post(parts, ana, good, "Goes on")
        assert await parts.index.wait_for(good, 2, PATIENCE)
        assert await parts.index.thread_sequence(bad) == 0
        failing = False
        assert await parts.index.wait_for(bad, 1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while watching.catch_up().left:
                await asyncio.sleep(0.05)


async def test_lagging_threads_do_not_starve_live_ones(
    parts: Parts, ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While more threads than there are places hang in a catch-up, a live transaction of another is settled."""
    monkeypatch.setattr(settling, "_CATCHING_UP", 2)
    monkeypatch.setattr(watcher, "_FIRST_CHECK", 0.3)
    monkeypatch.setattr(watcher, "_CHECK", 0.3)
    lagging = [await thread(parts, ana, f"Lagging {number}") for number in range(6)]
    live = await thread(parts, ana, "Live")
    unheard = {parts.running.addresses.thread(thread_id) for thread_id in lagging}

    def shape(_: int, item: Item) -> list[Item] | None:
        is_kept = isinstance(item, TransactionRecord) and any(each.thread in unheard for each in item.events)
        return [] if is_kept else [item]

    shaped, _ = through(parts, shape)
    settle, stuck, entered = shaped.projector.settle, asyncio.Event(), set[str]()

    async def hanging(thread_id: str, *args: Any, **options: Any) -> Any:
        if thread_id in lagging:
            entered.add(thread_id)
            await stuck.wait()
        return await settle(thread_id, *args, **options)

    async with shaped.watch():
        monkeypatch.setattr(shaped.projector, "settle", hanging)
        for thread_id in lagging:
            await post(parts, ana, thread_id, "Not heard, listed")
        async with asyncio.timeout(PATIENCE):
            while len(entered) < 2:
                await asyncio.sleep(0.05)
        await post(parts, ana, live, "Comes through")
        assert await parts.index.wait_for(live, 2, PATIENCE)
        assert len(entered) == 2
        stuck.set()
        for thread_id in lagging:
            assert await parts.index.wait_for(thread_id, 2, PATIENCE)
