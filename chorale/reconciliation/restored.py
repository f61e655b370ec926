"""Telling subscribers that bytes are back: once per occurrence and log, whoever finds it and however often."""

from __future__ import annotations

from chorale.domain.content import ContentKind, StoredContent
from chorale.domain.cursors import event_cursor
from chorale.domain.events import EventKind, EventPosition, NewEvent
from chorale.projector import Projector
from chorale.reconciliation.accounts import Owned
from chorale.reconciliation.resolution import subject_of


async def tell_restored(projector: Projector, owned: Owned, stored: StoredContent) -> str | None:
    """Log a ContentRestored for a point that says when it was restored; the event cursor behind it, None where none was
    due. Subscribers hear of messages; a title is read again with its thread."""
    thread = owned.thread
    if not stored.restored_at or thread is None or stored.key.kind is ContentKind.TITLE:
        return None
    event = await projector.announce(
        NewEvent(
            EventKind.CONTENT_RESTORED,
            thread.thread_id,
            thread.sequence,
            0,
            owned.slot,
            stored.restored_at,
            None,
            content_hash=stored.key.hash,
            subject=subject_of(stored.key),
            occurrence=stored.restored_at,
        )
    )
    if event is None:
        return None
    return event_cursor(EventPosition(event.log_id, event.position, event.thread_id, event.sequence, event.ordinal))
