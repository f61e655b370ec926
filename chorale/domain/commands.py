"""What a mutation asks of the update sequence, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.updates import UpdateState


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A signed transaction that must hold exactly one instruction named `instruction` of the program."""

    signed_transaction: bytes
    client_mutation_id: str | None = None
    idempotency_key: str | None = None

    @property
    def own_text(self) -> tuple[str, str] | None:
        """The text that comes along and the salt that it is hashed with; None where there is none."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateThread(Command):
    """Create a thread; `title` and `salt` must hash to the title_hash in the transaction."""

    title: str
    salt: str

    @property
    def own_text(self) -> tuple[str, str]:
        """Title and salt."""
        return self.title, self.salt


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewMessage(Command):
    body: str
    salt: str

    @property
    def own_text(self) -> tuple[str, str]:
        """Body and salt."""
        return self.body, self.salt


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage(_NewMessage):
    """Publish a co-author's message; `body` and `salt` must hash to the body_hash in the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMessage(_NewMessage):
    """Submit an outsider's message with a stake; `body` and `salt` must hash to the body_hash in the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote(Command):
    """Vote on a pending message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelMessage(Command):
    """Take an own message back before the first vote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimEscrow(Command):
    """Have a denier's share of a denied message's stake paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStake(Command):
    """Have the stake of an expired or cancelled message paid back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Divest(Command):
    """Leave a thread with a share of its balance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepThread(Command):
    """Have the treasury paid what a thread owes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireMessage(Command):
    """End a message whose window has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveMessage(Command):
    """Evaluate an open message again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure(Command):
    """Set the protocol's parameters, and who is admin from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawTreasury(Command):
    """Pay out of the treasury."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """What a mutation's payload is made of. `thread` and `message` are accounts read at `slot`, of one version.

    Both are None where the outcome is UNKNOWN and nothing is on chain yet. `content_hash` is None where it is about no
    message, `thread_id` where it is about the protocol.
    """

    update: UpdateState
    wallet: str
    thread_id: str | None
    content_hash: str | None
    thread: ThreadAccount | None
    message: MessageAccount | None
    slot: int


@dataclass(frozen=True, slots=True)
class FeeOptions:
    """Who pays the fee and what priority is offered, in micro-lamports per compute unit."""

    fee_payer: str | None = None
    priority_fee_micro_lamports: int | None = None


@dataclass(frozen=True, slots=True)
class PreparedTransaction:
    """An unsigned transaction for a wallet; times unix s, fees in lamports."""

    id: str
    transaction: bytes
    thread_id: str | None
    content_hash: str | None
    nonce: int | None
    salt: str | None
    expected_version: int | None
    fee_payer: str
    fee_lamports: int
    rent_lamports: int
    compute_unit_limit: int
    block_height: int
    last_valid_block_height: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class RestoreContent:
    """Supply bytes that are missing or corrupt: the body of the message `content_hash`, or the title of the thread
    `thread_id`; exactly one of the two is given."""

    text: str
    salt: str
    content_hash: str | None = None
    thread_id: str | None = None
    client_mutation_id: str | None = None


@dataclass(frozen=True, slots=True)
class RestoredContent:
    """Bytes that are there and read back. `restored` is false where they had been there before; `cursor` is the event
    cursor behind the ContentRestored that tells of them, None where none does. Accounts as read at `slot`."""

    thread: ThreadAccount
    message: MessageAccount | None
    slot: int
    restored: bool
    cursor: str | None
    client_mutation_id: str | None
