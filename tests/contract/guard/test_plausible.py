"""A slot that the chain cannot have reached is garbage; a chain that has leaped is believed once it says so again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from inspect import signature
from typing import Any

import pytest

from chorale.domain.availability import Health
from chorale.domain.chain import (
    AccountChange,
    AccountData,
    AccountsRead,
    Commitment,
    HistoryEntry,
    SignatureStatus,
    SlotTick,
)
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import FeedItem
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard.guards import Guards
from datasources.guard.plausible import PlausibleChain, PlausibleSlots, newest_slot
from tests.contract.guard.test_behind import Now

SLACK = 150


class Node:
    """A node at `at`, whose answers carry whatever slot the test says; counts how often it is asked for its slot."""

    program_id = "P"

    def __init__(self, at: int) -> None:
        self.at = at
        self.final: int | None = None
        self.tells = at
        self.asked = 0

    async def slot(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        self.asked += 1
        return self.at if self.final is None or commitment is not Commitment.FINALIZED else self.final

    async def accounts(self, addresses: list[str]) -> AccountsRead:
        return AccountsRead(self.tells, ())

    async def history(self, address: str) -> list[HistoryEntry]:
        return [HistoryEntry("a", 1, None, True), HistoryEntry("b", self.tells, None, True)]

    async def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        yield SlotTick(self.at)
        if accounts:
            yield AccountChange(self.tells, AccountData("a", "P", 1, b""))
        yield SlotTick(self.tells)


def believing(node: Node, clock: Now) -> Any:
    return PlausibleChain(node, PlausibleSlots(node.slot, SLACK, clock))


async def test_a_wrong_slot_is_garbage_wherever_it_is_told() -> None:
    """In a read, in a list, and in a subscription, which ends."""
    node = Node(1_000)
    chain = believing(node, Now())
    assert (await chain.accounts([])).slot == 1_000
    node.tells = 1_000_000
    for call in (chain.accounts, chain.history):
        with pytest.raises(AuthorityUnavailableError, match="slot 1000000, where the chain has finalized 1000"):
            await call([])
    for accounts in (False, True):
        heard = []
        with pytest.raises(AuthorityUnavailableError, match="garbage"):
            async for item in chain.follow(accounts=accounts):
                heard.append(item.slot)
        assert heard == [1_000]
    node.tells = 1_002
    assert (await chain.accounts([])).slot == 1_002


async def test_what_time_allows_costs_no_question() -> None:
    """Two and a half slots a second, for an hour: nobody is asked beside the first time."""
    node, clock = Node(1_000), Now()
    chain = believing(node, clock)
    await chain.accounts([])
    asked = node.asked
    for _ in range(360):
        clock.seconds += 10
        node.tells += 25
        await chain.accounts([])
    assert node.asked == asked == 1


async def test_a_leap_is_believed_once_the_chain_stands_there() -> None:
    """After an outage, a sleep, or where a test moves the clock; also where the chain has not finalized for long."""
    node = Node(1_000)
    chain = believing(node, Now())
    await chain.accounts([])
    node.at = node.tells = 5_000_000
    assert (await chain.accounts([])).slot == 5_000_000
    node.final, node.at, node.tells = 5_000_000, 9_000_000, 9_000_000
    assert (await chain.accounts([])).slot == 9_000_000


async def test_many_who_meet_a_leap_ask_once() -> None:
    """One question for all."""
    node = Node(1_000)
    chain = believing(node, Now())
    await asyncio.gather(*(chain.accounts([]) for _ in range(50)))
    node.at = node.tells = 5_000
    await asyncio.gather(*(chain.accounts([]) for _ in range(50)))
    assert node.asked == 2


async def test_wrong_slots_in_small_steps_do_not_add_up() -> None:
    """What is within the slack is believed and moves nothing."""
    node = Node(1_000)
    chain = believing(node, Now())
    await chain.accounts([])
    node.tells = 1_000 + SLACK
    await chain.accounts([])
    node.tells += SLACK
    with pytest.raises(AuthorityUnavailableError):
        await chain.accounts([])


async def test_what_may_be_is_held_to_what_is() -> None:
    """A look now and then: the allowance does not outgrow a chain that is slower than it may be."""
    node, clock = Node(1_000), Now()
    slots = PlausibleSlots(node.slot, SLACK, clock)
    for _ in range(720):
        await slots.renew()
        clock.seconds += 5
    assert not slots.admits(1_000 + SLACK + 5 * 60)
    assert node.asked <= 122


async def test_it_counts_as_a_failure_of_solana() -> None:
    """Behind a guard it is repeated, and opens the circuit like any other garbage."""
    node = Node(1_000)
    guards = Guards(Limits(), lambda before, after: None)
    chain: Any = guards.chain(node)  # type: ignore[arg-type]
    await chain.accounts([])
    node.tells = 10**9
    for _ in range(2):
        with pytest.raises(AuthorityUnavailableError):
            await chain.accounts([])
    assert guards.availability.health(Authority.SOLANA).health is Health.DOWN


def test_it_takes_what_the_port_takes() -> None:
    """A wrapper that is behind the port would fail where it is called, and not where it is checked."""
    assert list(signature(PlausibleChain.follow).parameters) == list(signature(Chain.follow).parameters)


def test_the_newest_slot_counts() -> None:
    """Of lists that of the latest entry; absent ones carry none."""
    status = SignatureStatus(7, None, Commitment.CONFIRMED)
    assert newest_slot([None, status, SignatureStatus(3, None, Commitment.CONFIRMED)]) == 7
    assert newest_slot([None]) is newest_slot("text") is newest_slot(12) is None
