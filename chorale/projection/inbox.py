"""From a subscription into a queue, so that nothing is lost while its reader catches up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

from chorale.domain.chain import AccountChange, SlotTick
from chorale.domain.events import FeedItem, TransactionRecord
from chorale.projection.pulse import Pulse

Feed: TypeAlias = AsyncIterator[FeedItem]


@dataclass(frozen=True, slots=True)
class Heard:
    """A transaction, and the unix time at which the subscription told of it."""

    record: TransactionRecord
    at: float


Inbox: TypeAlias = asyncio.Queue[Heard | AccountChange | SlotTick | None]
"""What has come, in order; None is the end."""


async def pump(feed: Feed, inbox: Inbox, pulse: Pulse) -> None:
    """Put everything into `inbox`, then None, whatever ended the feed; raises what the feed raised."""
    try:
        async for item in feed:
            if isinstance(item, SlotTick):
                pulse.beat(item.slot)
            pulse.wait(inbox.full())
            await inbox.put(Heard(item, time.time()) if isinstance(item, TransactionRecord) else item)
            pulse.wait(False)
    finally:
        # Never waits, since the reader may be gone. All gives way, not the oldest alone, which the cursor would pass
        # with what came after it: so whoever catches up afterwards meets it again, however far it lies back.
        if inbox.full():
            while not inbox.empty():
                inbox.get_nowait()
        inbox.put_nowait(None)
