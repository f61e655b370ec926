"""Slots that a chain can have reached by now. One that is told and cannot be true would hold up floors, cursors and
reads until the chain comes that far: whoever tells it answers with garbage, and is a node that is away.

What the chain may have reached is what it had finalized when it was last asked, and what has passed since. A slot above
that is no proof of anything: chains leap (after an outage, where a machine slept, where a test moves the clock), so it
is asked for once more, by itself, and believed where the chain stands there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from chorale.domain.chain import (
    AccountsRead,
    Blockhash,
    Commitment,
    HistoryEntry,
    SignatureStatus,
    Simulation,
)
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.domain.treasury import BalanceChange
from chorale.domain.updates import Authority
from datasources.guard.around import AroundPort, Method

_SHORTEST = 0.2  # s that a slot lasts at least, in the long run; 0.4 are usual
_FRESH = 30.0  # s after which what is finalized is asked for again

SlotAt = Callable[[Commitment], Awaitable[int]]


class PlausibleSlots:
    """How far a chain may have come. `slot` asks the node for the slot of a commitment, `slack` is how many slots
    confirmed ones may be above finalized ones, and answers above one another."""

    def __init__(self, slot: SlotAt, slack: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slot = slot
        self._slack = slack
        self._clock = clock
        self._reached = -1
        self._reached_at = float("-inf")
        self._one = asyncio.Lock()

    def admits(self, slot: int) -> bool:
        """Whether the chain may have reached it, as far as that is known without asking."""
        if self._reached < 0:
            return False
        return slot <= self._reached + self._slack + int((self._clock() - self._reached_at) / _SHORTEST)

    async def check(self, slot: int) -> None:
        """Raises AuthorityUnavailableError where the chain has not reached `slot`, even when it is asked."""
        if self.admits(slot):
            return
        async with self._one:
            if self.admits(slot):
                return
            final = await self._slot(Commitment.FINALIZED)
            if slot > final + self._slack and slot > await self._slot(Commitment.CONFIRMED) + self._slack:
                raise AuthorityUnavailableError(
                    Authority.SOLANA,
                    f"The node answers with garbage: slot {slot}, where the chain has finalized {final}. "
                    "Try again shortly.",
                )
            self._note(max(final, slot - self._slack))  # what is within the slack was not asked about

    async def renew(self) -> None:
        """Ask how far the chain is, where that is long ago, so that what it may have reached does not outgrow it."""
        if self._clock() - self._reached_at >= _FRESH:
            final = await self._slot(Commitment.FINALIZED)
            if self.admits(final):
                self._note(final)
            else:
                await self.check(final)

    def _note(self, reached: int) -> None:
        self._reached, self._reached_at = reached, self._clock()


class PlausibleChain(AroundPort):
    """The chain port, where answers and notifications with a slot that cannot be are garbage."""

    def __init__(self, chain: Any, slots: PlausibleSlots) -> None:
        super().__init__(chain)
        self._slots = slots

    async def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        """See Chain."""
        async with aclosing(self._port.follow(accounts=accounts)) as feed:
            async for item in feed:
                await self._slots.check(item.slot)
                yield item

    def _around(self, name: str, method: Method) -> Method:
        async def checked(*args: Any, **kwargs: Any) -> Any:
            result = await method(*args, **kwargs)
            slot = result if name == "slot" else newest_slot(result)
            if slot is not None:
                await self._slots.check(slot)
            return result

        return checked


_DATED = AccountsRead | Blockhash | HistoryEntry | SignatureStatus | Simulation | TransactionRecord


def newest_slot(result: object) -> int | None:
    """The newest slot that an answer of the chain port carries, None where it carries none."""
    if isinstance(result, _DATED):
        return result.slot
    if isinstance(result, BalanceChange):
        return result.record.slot
    if isinstance(result, Sequence) and not isinstance(result, str | bytes):
        return max((slot for each in result if (slot := newest_slot(each)) is not None), default=None)
    return None
