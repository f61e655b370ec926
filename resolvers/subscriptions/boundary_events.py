"""What happens at the boundaries, from a cursor on or from now on."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from chorale.announcements import Announcements
from chorale.context import Context, Info
from chorale.domain.boundaries import Announcement
from chorale.domain.cursors import decode
from resolvers.operators import only_operator, still_operator
from schema.boundaries import EVENT_CURSOR, BoundaryEvent
from schema.fields import streamed
from schema.scalars import Cursor

_FRESH_SECONDS = 1.0


@strawberry.type
class BoundarySubscriptions:
    """Fields of Subscription about the boundaries."""

    @streamed(
        "What happens at the boundaries of the replica that answers: conflicts, authorities that are lost and recover, "
        "resets of the chain, verifications. For operators: the protocol's admin, and the wallets that this server's "
        "settings name. Who is one is checked again as long as it runs; while Solana is away, whoever was one stays."
    )
    async def boundary_events(
        self,
        info: Info,
        after: Annotated[
            Cursor | None,
            strawberry.argument(
                description="Begin behind this event; from now on where left out. Behind one of another replica, or "
                "from before a restart, begins with the oldest event that this replica has kept."
            ),
        ] = None,
    ) -> AsyncGenerator[BoundaryEvent, None]:
        context = info.context
        await only_operator(context)
        log = context.announcements
        last = log.newest if after is None else _number(log, after)
        checked_at = time.monotonic()
        async with aclosing(_behind(log, last)) as announcements:
            async for said in announcements:
                if time.monotonic() - checked_at >= _FRESH_SECONDS:
                    await still_operator(_fresh(context))
                    checked_at = time.monotonic()
                yield BoundaryEvent.of(log.id, said, said.number - last - 1)
                last = said.number


async def _behind(log: Announcements, last: int) -> AsyncGenerator[Announcement, None]:
    """Everything behind the number `last`: what is kept first, then as it comes, nothing twice."""
    while last < log.newest:
        for said in log.recent():
            if said.number > last:
                last = said.number
                yield said
    # Nothing is awaited between that last look and the first step of this, which begins to listen.
    async with aclosing(log.listen()) as live:
        async for said in live:
            yield said


def _number(log: Announcements, cursor: str) -> int:
    log_id, number = decode(EVENT_CURSOR, cursor, (str, int), "after")
    return min(int(number), log.newest) if log_id == log.id else 0


def _fresh(context: Context) -> Context:
    context.loaders = context.fresh_loaders()
    return context
