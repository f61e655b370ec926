"""What a resolver answers, and what its conflict is about."""

from __future__ import annotations

from typing import Protocol

from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.content import ContentKey, ContentKind

Resolution = tuple[Settlement, str] | None
"""What became of a conflict, and what was done, in a sentence; None where the authority no longer shows one."""

_MESSAGE = "Message:"


class Resolver(Protocol):
    """Settles one kind of conflict. Reads the authority again first: what it is told may be past."""

    async def resolve(self, conflict: Conflict) -> Resolution:
        """Raises ChoraleError where it could not be tried."""


def hash_of(conflict: Conflict) -> str | None:
    """Content hash of the message that a conflict is about; None where it is about no message."""
    return conflict.subject.removeprefix(_MESSAGE) if conflict.subject.startswith(_MESSAGE) else None


def message_key(thread_id: str, content_hash: str) -> ContentKey:
    """Names a message's point."""
    return ContentKey(ContentKind.MESSAGE, thread_id, content_hash)


def subject_of(key: ContentKey) -> str:
    """Global id of what a point belongs to."""
    return f"Message:{key.hash}" if key.kind is ContentKind.MESSAGE else f"Thread:{key.thread_id}"
