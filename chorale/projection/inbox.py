"""From a subscription into a queue, so that nothing is lost while its reader catches up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

from chorale.domain.chain import SlotTick
from chorale.domain.events import TransactionRecord

Feed: TypeAlias = AsyncIterator[TransactionRecord | SlotTick]
Inbox: TypeAlias = asyncio.Queue[TransactionRecord | SlotTick | None]
"""What has come, in order; None is the end."""


async def pump(feed: Feed, inbox: Inbox) -> None:
    """Put everything into `inbox`, then None, whatever ended the feed; raises what the feed raised."""
    try:
        async for item in feed:
            await inbox.put(item)
    finally:
        # Never waits, since the reader may be gone. What gives way is met again by whoever catches up afterwards.
        if inbox.full():
            inbox.get_nowait()
        inbox.put_nowait(None)
