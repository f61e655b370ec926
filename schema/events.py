"""What happened in a thread, as subscribers get it."""

from __future__ import annotations

import strawberry

from schema.enums import GapReason
from schema.message import Message
from schema.scalars import Cursor, DateTime, Hash, Signature, Slot, Version
from schema.thread import Thread
from schema.token import TokenAmount
from schema.user import User
from schema.vote import Vote


@strawberry.interface(
    description="Something that happened in a thread. Tell events apart by cursor: one vote that decides makes several "
    "events at one version. The entities in an event are current, never older than the event."
)
class ThreadEvent:
    """Fields that every event has."""

    cursor: Cursor = strawberry.field(description="Resume behind this event by subscribing after it.")
    thread_id: Hash | None = strawberry.field(description="The thread it happened in.")
    thread: Thread | None = strawberry.field(description="The thread as it is now.")
    version: Version | None = strawberry.field(description="The thread's version that the event belongs to.")
    slot: Slot | None = strawberry.field(description="The slot that it happened in.")
    occurred_at: DateTime = strawberry.field(description="When it happened.")
    signature: Signature | None = strawberry.field(
        description="The transaction that caused it; null where none did. An optimistic client knows its own by it."
    )


@strawberry.type(description="The thread was made. Always its first event.")
class ThreadCreated(ThreadEvent):
    """Nothing beyond the shared fields."""


@strawberry.type(description="An outsider submitted a message with a stake; the co-authors vote on it now.")
class MessageSubmitted(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="A co-author voted.")
class VoteCast(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")
    vote: Vote = strawberry.field(description="The vote.")


@strawberry.type(description="A message was published: posted by a co-author, or approved by all of them.")
class MessagePublished(ThreadEvent):
    """Visible to everyone."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="A message was decided against: DENIED or SPLIT.")
class MessageDecided(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="An author took a message back before the first vote.")
class MessageCancelled(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="A message was not decided in time.")
class MessageExpired(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="A denier took their share of a denied message's stake.")
class EscrowClaimed(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")
    claimant: User = strawberry.field(description="Who was paid.")
    amount: TokenAmount = strawberry.field(description="How much.")


@strawberry.type(description="The stake of an expired or cancelled message went back to its author.")
class StakeRefunded(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")
    amount: TokenAmount = strawberry.field(description="How much.")


@strawberry.type(description="The author of a published message became a co-author.")
class CoAuthorJoined(ThreadEvent):
    """Visible to everyone."""

    user: User = strawberry.field(description="Who joined.")


@strawberry.type(
    description="A co-author left, with a share of the thread's balance. The last one takes all of it and stays: "
    "`coAuthors` tells."
)
class CoAuthorLeft(ThreadEvent):
    """Visible to everyone."""

    user: User = strawberry.field(description="Who left.")
    amount: TokenAmount = strawberry.field(description="What they took along.")


@strawberry.type(description="A text that had been missing was supplied again and matches its hash.")
class ContentRestored(ThreadEvent):
    """Visible to those who may see the message."""

    message: Message = strawberry.field(description="The message as it is now.")


@strawberry.type(description="An update has been propagated, read back and found equal everywhere.")
class UpdateVerified(ThreadEvent):
    """Nothing beyond the shared fields."""


@strawberry.type(description="An update was read back and something differs; repair has been told.")
class UpdateDiverged(ThreadEvent):
    """Says what differs."""

    conflict: str = strawberry.field(description="What differs, in a sentence.")


@strawberry.type(
    description="A stretch of history is gone. Fetch the thread again and go on from this event's cursor: the stream "
    "continues by itself."
)
class Gap(ThreadEvent):
    """Says why."""

    reason: GapReason = strawberry.field(description="Why it is gone.")
