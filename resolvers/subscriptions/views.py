"""Logged events as a subscriber sees them: entities read anew, never older than the event, invisible ones left out."""

from __future__ import annotations

import time
from typing import Any

from chorale.context import Context
from chorale.domain.cursors import event_cursor
from chorale.domain.events import EventKind, EventPosition, LoggedEvent
from datasources.loaders import MessageKey
from schema import events as types
from schema.enums import GapReason
from schema.message import Message
from schema.reading import message_view
from schema.scalars import Cursor, DateTime, Hash, Signature, Slot, Version
from schema.thread import Thread
from schema.token import TokenAmount
from schema.user import User
from schema.vote import Vote

_OF_MESSAGES: dict[EventKind, type[Any]] = {
    EventKind.MESSAGE_SUBMITTED: types.MessageSubmitted,
    EventKind.VOTE_CAST: types.VoteCast,
    EventKind.MESSAGE_PUBLISHED: types.MessagePublished,
    EventKind.MESSAGE_DECIDED: types.MessageDecided,
    EventKind.MESSAGE_CANCELLED: types.MessageCancelled,
    EventKind.MESSAGE_EXPIRED: types.MessageExpired,
    EventKind.ESCROW_CLAIMED: types.EscrowClaimed,
    EventKind.STAKE_REFUNDED: types.StakeRefunded,
    EventKind.CONTENT_RESTORED: types.ContentRestored,
}


def position_of(event: LoggedEvent) -> EventPosition:
    """The place behind `event`."""
    return EventPosition(event.log_id, event.position, event.thread_id, event.sequence, event.ordinal)


def position_before(event: LoggedEvent) -> EventPosition:
    """The place right before `event`, where a reader who lost everything earlier goes on."""
    return EventPosition(event.log_id, event.position - 1, event.thread_id, event.sequence, event.ordinal - 1)


async def gap(context: Context, event: LoggedEvent, reason: str) -> types.Gap:
    """What is missing before `event`."""
    shared = await _shared(context, event)
    return types.Gap(
        **{**shared, "cursor": Cursor(event_cursor(position_before(event))), "signature": None},
        reason=_gap_reason(reason),
    )


def end_of_log(position: EventPosition, reason: str) -> types.Gap:
    """What a subscriber hears last where the log itself has ended: nothing of it is left to read."""
    return types.Gap(
        cursor=Cursor(event_cursor(position)),
        thread_id=Hash(position.thread_id),
        thread=None,
        version=Version(position.sequence),
        slot=Slot(0),
        occurred_at=DateTime(int(time.time())),
        signature=None,
        reason=_gap_reason(reason),
    )


async def event_view(context: Context, event: LoggedEvent) -> types.ThreadEvent | None:
    """`event` as the viewer may see it now; None where they may not, or where the graph has no type for it.

    Raises MixedVersionsError where the thread moved on between two reads: load again.
    """
    message: Message | None = None
    if event.content_hash is not None:
        message = await _message(context, MessageKey(event.thread_id, event.content_hash))
        if message is None:
            return None
    shared = await _shared(context, event)
    amount = TokenAmount.of(event.amount or 0, await context.loaders.token())
    actor = User.of(context, event.actor or "")
    match event.kind:
        case EventKind.THREAD_CREATED:
            return types.ThreadCreated(**shared)
        case EventKind.CO_AUTHOR_JOINED:
            return types.CoAuthorJoined(**shared, user=actor)
        case EventKind.CO_AUTHOR_LEFT:
            return types.CoAuthorLeft(**shared, user=actor, amount=amount)
        case EventKind.UPDATE_VERIFIED:
            return types.UpdateVerified(**shared)
        case EventKind.UPDATE_DIVERGED:
            return types.UpdateDiverged(**shared, conflict=event.detail or "")
        case EventKind.GAP:
            return types.Gap(**shared, reason=_gap_reason(event.detail))
    kind = _OF_MESSAGES.get(event.kind)
    if kind is None or message is None:
        return None
    shared["message"] = message
    match event.kind:
        case EventKind.VOTE_CAST:
            shared["vote"] = _vote(event, message, actor)
        case EventKind.ESCROW_CLAIMED:
            shared |= {"claimant": actor, "amount": amount}
        case EventKind.STAKE_REFUNDED:
            shared["amount"] = amount
    view: types.ThreadEvent = kind(**shared)
    return view


async def _shared(context: Context, event: LoggedEvent) -> dict[str, Any]:
    read = await context.loaders.thread(event.thread_id)
    token = await context.loaders.token()
    return {
        "cursor": Cursor(event_cursor(position_of(event))),
        "thread_id": Hash(event.thread_id),
        "thread": None if read is None else Thread(context=context, read=read, token=token),
        "version": Version(event.sequence),
        "slot": Slot(event.slot),
        "occurred_at": DateTime(event.occurred_at),
        "signature": None if event.signature is None else Signature(event.signature),
    }


async def _message(context: Context, key: MessageKey) -> Message | None:
    read = await context.loaders.message(key)
    return None if read is None else message_view(context, *read, await context.loaders.token())


def _vote(event: LoggedEvent, message: Message, voter: User) -> Vote:
    recorded = message.account.vote_of(event.actor)
    return Vote(voter=voter, approve=bool(event.approve), claimed=recorded is not None and recorded.claimed)


def _gap_reason(reason: str | None) -> GapReason:
    return GapReason.__members__.get(reason or "", GapReason.TRIMMED)
