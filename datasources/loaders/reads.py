"""What loaders answer with: accounts with the slot they were read at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.errors import StaleReadError


class MixedVersionsError(StaleReadError):
    """The thread changed while it was read. A query is executed again before a client sees this."""


class MessageKey(NamedTuple):
    """Names a message with the thread it belongs to."""

    thread_id: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class ThreadRead:
    """A thread as read at `slot`."""

    account: ThreadAccount
    slot: int


@dataclass(frozen=True, slots=True)
class MessageRead:
    """A message as read at `slot`, not before its thread was."""

    account: MessageAccount
    slot: int


@dataclass(frozen=True, slots=True)
class Balances:
    """A wallet's lamports and base units of the token in its associated account, as read at `slot`."""

    lamports: int
    tokens: int
    slot: int
