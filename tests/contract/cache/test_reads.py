"""Reads of loaders that may be served nothing still keep what they read, and are never older than what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from chorale.domain.caching import CachedAccount, EntityCache, Floor, Lookup
from chorale.domain.chain import AccountData, AccountsRead
from chorale.domain.errors import MinimumSlotNotReachedError
from chorale.domain.ports import Chain, IndexReader
from chorale.limits import Limits
from datasources.loaders import CachedReads
from datasources.loaders.accounts import AccountLoader
from datasources.loaders.cached import Entity
from datasources.metrics import PrometheusMeasures
from programs.accounts import message_size
from programs.interface import ACCOUNT_VERSION, ACCOUNTS
from tests.contract.cache.conftest import Opener

WALLET = AccountData("9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin", "11111111111111111111111111111111", 7, b"")
MESSAGE, THREAD = "message", "thread"
PROGRAM = "the program"


class LaggingNode:
    """A node whose newest state is of `slot`."""

    program_id = PROGRAM

    def __init__(self, slot: int) -> None:
        self.slot = slot

    async def accounts(self, addresses: Sequence[str], *, min_context_slot: int | None = None) -> AccountsRead:
        """Refuses what it has not reached."""
        if (min_context_slot or 0) > self.slot:
            raise MinimumSlotNotReachedError
        return AccountsRead(self.slot, tuple(_message(address) for address in addresses))


def _message(address: str) -> AccountData:
    header = ACCOUNTS["Message"].discriminator + bytes([ACCOUNT_VERSION])
    return AccountData(address, PROGRAM, 1, header.ljust(message_size(0), b"\0"))


class IndexAt:
    """An index that has every thread at one version."""

    def __init__(self, version: int) -> None:
        self.version = version

    async def thread_sequence(self, _thread_id: str) -> int:
        """The version."""
        return self.version


def _deaf(cache: EntityCache, version: int = 0) -> CachedReads:
    return CachedReads(cache, cast("IndexReader", IndexAt(version)), PrometheusMeasures(), lambda: 0, PROGRAM)


async def test_kept_for_bad_times(opener: Opener) -> None:
    """A wallet that was read alone is known while Solana is away."""
    async with opener(Limits()) as cache:
        reads = _deaf(cache)
        await reads.fill({WALLET.address: (WALLET, 10)}, {WALLET.address: Entity.USER}, Lookup({}))
        held = await reads.last_known([WALLET.address], None)
        assert held[WALLET.address].account == WALLET


async def test_confirmed_elsewhere(opener: Opener) -> None:
    """A replica that hears nothing, beside a node that lags, does not answer from before what another has confirmed."""
    async with opener(Limits()) as cache:
        loader = AccountLoader(cast("Chain", LaggingNode(10)), None, _deaf(cache))
        loader.note_message(MESSAGE, THREAD)
        await cache.raise_floors({MESSAGE: Floor(11)})
        with pytest.raises(MinimumSlotNotReachedError):
            await loader.load(MESSAGE)


async def test_no_fill_without_era(opener: Opener) -> None:
    """What was read without a lookup is kept where it may be served only if the floors of that time still stand."""
    async with opener(Limits()) as cache:
        await _deaf(cache).fill({MESSAGE: (_message(MESSAGE), 10)}, {MESSAGE: Entity.MESSAGE}, Lookup({}))
        assert await cache.get([MESSAGE]) == {}


async def test_filled_by_the_deaf(opener: Opener) -> None:
    """A replica that hears nothing still fills the cache for the others."""
    async with opener(Limits()) as cache:
        loader = AccountLoader(cast("Chain", LaggingNode(10)), None, _deaf(cache))
        loader.note_message(MESSAGE, THREAD)
        assert not (await loader.load(MESSAGE)).cached
        assert (await cache.get([MESSAGE]))[MESSAGE].slot == 10


async def test_past_seats(opener: Opener) -> None:
    """While Solana is away, a thread is shown as last known, unless the index knows that it has changed since: then
    the seats in it may have been given up."""
    async with opener(Limits()) as cache:
        await cache.put({THREAD: CachedAccount(_message(THREAD), 10, 4, 1.0)})
        for version, shown in ((4, True), (5, False)):
            loader = AccountLoader(cast("Chain", LaggingNode(9)), 10, _deaf(cache, version))
            loader.anchor(THREAD, "its id")
            if shown:
                assert (await loader.load(THREAD)).slot == 10
                assert loader.stale.read is not None
                continue
            with pytest.raises(MinimumSlotNotReachedError):
                await loader.load(THREAD)
