"""What is due on chain, as pure functions of accounts and the cluster's clock. The program decides; these only ask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.update.rules import expiry_error, is_decided_by, open_error, refund_error


class Duty(StrEnum):
    """An instruction that anybody may send."""

    EXPIRE = "expire"
    RESOLVE = "resolve"
    REFUND = "refund"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What seems due, by a slice of an account: `thread` is "" and `since` (unix s) 0 where the slice does not tell."""

    duty: Duty
    account: str
    thread: str = ""
    since: int = 0

    @property
    def key(self) -> str:
        """Identity of the piece of work."""
        return f"{self.duty.value}:{self.account}"


@dataclass(frozen=True, slots=True)
class Due:
    """One instruction that is due, by whole accounts: on the message at `account`, a sweep on the thread itself.

    `payee` is the author who is to be refunded, else ""; `amount` what is paid out, in base units; `slot` the one as
    of which it is due, 0 where that is not known.
    """

    duty: Duty
    account: str
    thread: str
    payee: str = ""
    amount: int = 0
    slot: int = 0


def message_due(message: MessageAccount, thread: ThreadAccount | None, now: int) -> Due | None:
    """What anybody should send about a message at unix time `now`: at most one of expire, resolve and refund.

    Whether it is to be resolved shows only beside its thread as it is at the same time.
    """
    if expiry_error(message, now) is None:
        return Due(Duty.EXPIRE, message.address, message.thread)
    if open_error(message, now) is None:
        decided = thread is not None and is_decided_by(message, thread)
        return Due(Duty.RESOLVE, message.address, message.thread) if decided else None
    if refund_error(message, message.author) is None:
        return Due(Duty.REFUND, message.address, message.thread, message.author, message.escrow_remaining)
    return None


def thread_due(address: str, treasury_due: int, minimum: int) -> Due | None:
    """A sweep where a thread owes the treasury something, and at least `minimum` base units."""
    if treasury_due >= max(minimum, 1):
        return Due(Duty.SWEEP, address, address, amount=treasury_due)
    return None


def may_be_decided(votes: int, co_authors: int) -> bool:
    """Whether an open message with that many votes can have the votes of all: the author may be a co-author too."""
    return votes >= co_authors - 1
