"""What each mutation expects of its transaction: one entry per instruction, read by all that follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from chorale.domain.commands import (
    CancelMessage,
    CastVote,
    ClaimEscrow,
    Command,
    Configure,
    CreateThread,
    Divest,
    ExpireMessage,
    PostMessage,
    RefundStake,
    ResolveMessage,
    SubmitMessage,
    SweepThread,
    WithdrawTreasury,
)
from chorale.domain.content import MAX_BODY_BYTES, MAX_TITLE_BYTES


class Subject(Enum):
    """What a transaction is about."""

    NEW_THREAD = auto()
    NEW_MESSAGE = auto()
    MESSAGE = auto()
    THREAD = auto()
    PROTOCOL = auto()


@dataclass(frozen=True, slots=True)
class Text:
    """A text that comes beside the transaction: the argument that holds its hash, its name and its limit in bytes."""

    hash_argument: str
    field: str
    limit: int


@dataclass(frozen=True, slots=True)
class Kind:
    """What a command expects.

    `actor` is the account for whose wallet this is done, "" the fee payer; `signs` tells whether it has to sign.
    `problems` are those of the mutation's union that not every mutation has. `payee` is the account that is paid into
    a token account, which may be made in the same transaction. `decides`: where nothing would be decided, nothing is
    sent.
    """

    instruction: str
    subject: Subject
    actor: str
    problems: frozenset[str]
    signs: bool = True
    text: Text | None = None
    payee: str | None = None
    decides: bool = False


_TITLE = Text("title_hash", "title", MAX_TITLE_BYTES)
_BODY = Text("body_hash", "body", MAX_BODY_BYTES)
_USUAL = frozenset({"NotFound", "NotAllowedNow"})
_AS_CO_AUTHOR = _USUAL | {"NotACoAuthor"}
_AS_OUTSIDER = _USUAL | {"AlreadyACoAuthor", "StakeTooLow"}

KINDS: dict[type[Command], Kind] = {
    CreateThread: Kind("create_thread", Subject.NEW_THREAD, "creator", frozenset(), text=_TITLE),
    PostMessage: Kind("post_message", Subject.NEW_MESSAGE, "author", _AS_CO_AUTHOR, text=_BODY),
    SubmitMessage: Kind("submit_message", Subject.NEW_MESSAGE, "author", _AS_OUTSIDER, text=_BODY),
    CastVote: Kind("cast_vote", Subject.MESSAGE, "voter", _AS_CO_AUTHOR),
    CancelMessage: Kind("cancel", Subject.MESSAGE, "author", _USUAL),
    ClaimEscrow: Kind("claim", Subject.MESSAGE, "payee", _USUAL, signs=False, payee="payee"),
    RefundStake: Kind("refund", Subject.MESSAGE, "payee", _USUAL, signs=False, payee="payee"),
    Divest: Kind("divest", Subject.THREAD, "co_author", _AS_CO_AUTHOR, payee="co_author"),
    SweepThread: Kind("sweep", Subject.THREAD, "", frozenset({"NotFound"})),
    ExpireMessage: Kind("expire", Subject.MESSAGE, "", _USUAL),
    ResolveMessage: Kind("resolve", Subject.MESSAGE, "payer", _USUAL, decides=True),
    Configure: Kind("configure", Subject.PROTOCOL, "admin", frozenset()),
    WithdrawTreasury: Kind("withdraw_treasury", Subject.PROTOCOL, "admin", frozenset(), payee="admin"),
}
