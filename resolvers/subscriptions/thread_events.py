"""What happens in a thread, from a cursor on or from now on."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, cast

import strawberry

from chorale.context import Context, Info
from chorale.domain.cursors import event_position
from chorale.domain.errors import (
    AuthorityUnavailableError,
    InvalidInputError,
    MinimumSlotNotReachedError,
    NotFoundError,
)
from chorale.domain.events import EventPosition, LoggedEvent
from datasources.loaders import MessageKey, MixedVersionsError
from resolvers.permissions import still_admitted
from resolvers.subscriptions.views import end_of_log, event_view, gap, position_of
from schema.events import ThreadEvent
from schema.fields import streamed
from schema.lookahead import BODY_FIELDS, selects
from schema.scalars import Cursor, Hash

_FRESH_SECONDS = 1.0
_PAUSES = (0.1, 0.3, 1.0, 3.0, 5.0)


@strawberry.type
class ThreadSubscriptions:
    """Fields of Subscription about threads."""

    @streamed(
        "What happens in a thread, in order. Events about messages that the viewer may not see are left "
        "out; who may see what is checked again at every event. NOT_FOUND where there is no such thread."
    )
    async def thread_events(
        self,
        info: Info,
        thread_id: Annotated[Hash, strawberry.argument(description="The thread to follow.")],
        after: Annotated[
            Cursor | None,
            strawberry.argument(
                description="Resume behind this event cursor, without loss or repetition; from now on where left out."
            ),
        ] = None,
    ) -> AsyncGenerator[ThreadEvent, None]:
        place = _Place(await _begin(info.context, thread_id, after))
        bodies = selects(info, BODY_FIELDS)
        index = info.context.index
        awake = cast("AsyncGenerator[None, None]", index.wake(thread_id))
        async with aclosing(awake):
            try:
                async for _ in awake:
                    async for event in _behind(info.context, place, bodies):
                        yield event
            except Exception:  # parts that are closed under a read fail it in any way
                if index.ended is None:
                    raise
        if index.ended is not None:
            yield end_of_log(place.position, index.ended)


@dataclass(slots=True)
class _Place:
    """How far a subscriber has come, events that it may not see included."""

    position: EventPosition


async def _begin(context: Context, thread_id: str, after: str | None) -> EventPosition:
    if not await context.index.thread_sequence(thread_id) and await context.loaders.thread(thread_id) is None:
        raise NotFoundError(f"There is no thread {thread_id}.")
    if after is None:
        return await context.index.latest(thread_id)
    position = event_position(after)
    if position.thread_id != thread_id:
        raise InvalidInputError("`after` is a cursor of another thread. Pass one of this thread's events.", "after")
    return position


async def _behind(context: Context, place: _Place, bodies: bool) -> AsyncIterator[ThreadEvent]:
    """Every event behind `place` that the viewer may see, moving it along."""
    while True:
        await still_admitted(context)
        batch = await context.index.events_after(place.position.thread_id, place.position, context.limits.event_batch)
        if batch.gap is not None and batch.events:
            await _load(context, batch.events[:1], bodies=False)
            yield await gap(context, batch.events[0], batch.gap)
        async for event in _views(context, place, batch.events, bodies):
            yield event
        place.position = batch.position
        if not batch.more:
            return


async def _views(
    context: Context, place: _Place, events: Sequence[LoggedEvent], bodies: bool
) -> AsyncIterator[ThreadEvent]:
    loaded_at = -_FRESH_SECONDS
    waiting = deque(events)
    while waiting:
        if time.monotonic() - loaded_at >= _FRESH_SECONDS:
            # Also in the middle of a batch: a slow reader gets the entities, and the rights, of when it reads.
            await still_admitted(context)
            await _load(context, waiting, bodies)
            loaded_at = time.monotonic()
        try:
            view = await event_view(context, waiting[0])
        except MixedVersionsError:
            loaded_at = -_FRESH_SECONDS
            continue
        place.position = position_of(waiting.popleft())
        if view is not None:
            yield view


async def _load(context: Context, events: Collection[LoggedEvent], bodies: bool) -> None:
    """Fresh loaders that have read the batch's threads and messages in one go, none of it older than the events."""
    for pause in (*_PAUSES, None):
        loaders = context.loaders = context.fresh_loaders(min_slot=max(event.slot for event in events))
        keys = [MessageKey(event.thread_id, event.content_hash) for event in events if event.content_hash is not None]
        loaders.want(keys)
        try:
            await loaders.threads(list({event.thread_id for event in events}))
            await loaders.token()
        except (AuthorityUnavailableError, MinimumSlotNotReachedError):
            if pause is None:
                raise
            await asyncio.sleep(pause)
            continue
        if bodies:
            for key in keys:
                loaders.want_body(key)
        return
