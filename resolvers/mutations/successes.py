"""What Success payloads are made of: the whole entities, of one version, as read after the update."""

from __future__ import annotations

from typing import Self, TypeVar

import strawberry

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority
from schema.message import Message
from schema.settled import Settled
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User

T = TypeVar("T")


@strawberry.type
class ThreadSuccess:
    """About a thread that existed before; each mutation says in its own type what `wallet` did."""

    thread: Thread = strawberry.field(description="The thread as it is now.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="For whom it was done.")

    @classmethod
    def of(cls, shown: Settled) -> Self:
        """Raises AuthorityUnavailableError where the outcome is unknown and nothing is there to show."""
        return cls(thread=_known(shown, shown.thread), update=shown.update, wallet=shown.wallet)


@strawberry.type
class MessageSuccess:
    """About a message and its thread."""

    message: Message = strawberry.field(description="The message as it is now.")
    thread: Thread = strawberry.field(description="Its thread.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="For whom it was done.")

    @classmethod
    def of(cls, shown: Settled) -> Self:
        """Raises AuthorityUnavailableError where the outcome is unknown and nothing is there to show."""
        message, thread = _known(shown, shown.message), _known(shown, shown.thread)
        return cls(message=message, thread=thread, update=shown.update, wallet=shown.wallet)


def unknown_yet(signature: str) -> AuthorityUnavailableError:
    """What to raise where an update's outcome is unknown and nothing is there to show."""
    return AuthorityUnavailableError(
        Authority.SOLANA, f"What became of {signature} is not known yet: ask stateUpdate for it."
    )


def _known(shown: Settled, entity: T | None) -> T:
    if entity is None:
        raise unknown_yet(shown.update.signature)
    return entity
