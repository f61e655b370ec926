"""The program's interface, declared once: instructions with their accounts, account layouts and events.

Builders, decoders and the IDL all read these tables. Account order, flags and field order are part of the wire
format and never change; discriminators follow Anchor's convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from programs.wire import Field, Record, fields

ACCOUNT_VERSION = 1
HEADER = fields("version:u8 bump:u8")
RESERVED_BYTES = 64
TREE_DEPTH = 20
MAX_CO_AUTHORS = 64
SHORTEST_WINDOW, LONGEST_WINDOW = 3_600, 2_592_000  # s, of approval


def discriminator(namespace: str, name: str) -> bytes:
    """Anchor's eight bytes in front of an instruction (`global`), an account or an event."""
    return sha256(f"{namespace}:{name}".encode()).digest()[:8]


@dataclass(frozen=True, slots=True)
class AccountRole:
    """One place in an instruction's account list; an `optional_signer` may sign but need not."""

    name: str
    signer: bool
    writable: bool
    optional_signer: bool


@dataclass(frozen=True, slots=True)
class InstructionSpec:
    """One instruction: its name, discriminator, arguments and accounts in order."""

    name: str
    discriminator: bytes
    args: Record
    accounts: tuple[AccountRole, ...]


@dataclass(frozen=True, slots=True)
class VectorSpec:
    """The vector at the end of an account: its name, and the record of one item under an IDL type name."""

    name: str
    type_name: str
    item: Record


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """One account type after its discriminator: header, fixed fields, frontier (threads only), reserve, vector."""

    name: str
    discriminator: bytes
    fixed: tuple[Field, ...]
    frontier: bool
    vector: VectorSpec | None


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One event: `record` starts with the subject's address, sequence and ordinal."""

    name: str
    discriminator: bytes
    record: Record


def _roles(description: str) -> tuple[AccountRole, ...]:
    roles = []
    for item in description.split():
        name, _, flags = item.partition(":")
        roles.append(AccountRole(name, "s" in flags, "w" in flags, "?" in flags))
    return tuple(roles)


def _instruction(name: str, args: str, accounts: str) -> InstructionSpec:
    return InstructionSpec(name, discriminator("global", name), Record(*fields(args)), _roles(accounts))


def _account(name: str, fixed: str, *, frontier: bool = False, vector: VectorSpec | None = None) -> AccountSpec:
    return AccountSpec(name, discriminator("account", name), fields(fixed), frontier, vector)


def _event(name: str, rest: str, subject: str = "thread") -> EventSpec:
    record = Record(*fields(f"{subject}:key sequence:u64 ordinal:u8 {rest}"))
    return EventSpec(name, discriminator("event", name), record)


# Flags: s signs, w is written, ? may sign.
_INSTRUCTIONS = (
    _instruction(
        "initialize",
        "minimum_stake:u64 approval_window:i64 allow_freezable:bool",
        "payer:sw admin:s program_key:s protocol:w treasury:w mint token_program system_program",
    ),
    _instruction(
        "configure",
        "minimum_stake:u64 approval_window:i64 admin:key",
        "admin:s new_admin:s protocol:w",
    ),
    _instruction("withdraw_treasury", "amount:u64", "admin:s protocol:w treasury:w destination:w token_program"),
    _instruction(
        "create_thread",
        "nonce:u64 title_hash:hash",
        "payer:sw creator:s protocol thread:w vault:w mint token_program system_program",
    ),
    _instruction(
        "post_message",
        "body_hash:hash nonce:u64",
        "payer:sw author:s thread:w message:w system_program",
    ),
    _instruction(
        "submit_message",
        "body_hash:hash nonce:u64 stake:u64 max_expires_at:i64",
        "payer:sw author:s protocol thread:w message:w vault:w source:w token_program system_program",
    ),
    _instruction("cast_vote", "approve:bool", "payer:sw voter:s thread:w message:w system_program"),
    _instruction("resolve", "", "payer:sw thread:w message:w system_program"),
    _instruction("expire", "", "thread:w message:w"),
    _instruction("cancel", "", "author:s thread:w message:w"),
    _instruction("refund", "", "payee:? thread:w message:w vault:w destination:w token_program"),
    _instruction("claim", "", "payee:? thread:w message:w vault:w destination:w token_program"),
    _instruction("divest", "min_payout:u64", "co_author:s thread:w vault:w destination:w token_program"),
    _instruction("sweep", "", "protocol thread:w vault:w treasury:w token_program"),
)

_ACCOUNTS = (
    _account(
        "Protocol",
        "treasury_bump:u8 admin:key mint:key minimum_stake:u64 approval_window:i64 sequence:u64 allow_freezable:bool",
    ),
    _account(
        "Thread",
        "vault_bump:u8 thread_id:hash creator:key nonce:u64 created_at:i64 title_hash:hash token_balance:u64 "
        "stakes_total:u64 escrow_total:u64 treasury_due:u64 message_count:u32 pending_count:u32 published_count:u32 "
        "sequence:u64 activity_at:i64 activity_sequence:u64 content_root:hash",
        frontier=True,
        vector=VectorSpec("co_authors", "CoAuthor", Record(*fields("key:key joined_sequence:u64"))),
    ),
    _account(
        "Message",
        "thread:key author:key status:u8 content_hash:hash body_hash:hash nonce:u64 stake:u64 escrow_remaining:u64 "
        "share:u64 submitted_at:i64 expires_at:i64 decided_at:i64 submitted_sequence:u64 sequence:u64 leaf_index:u32",
        vector=VectorSpec("votes", "Vote", Record(*fields("voter:key approve:bool claimed:bool cast_at:i64"))),
    ),
)

_EVENTS = (
    _event("ThreadCreated", "creator:key title_hash:hash created_at:i64"),
    _event("MessagePosted", "author:key content_hash:hash body_hash:hash leaf_index:u32"),
    _event("MessageSubmitted", "author:key content_hash:hash body_hash:hash stake:u64 expires_at:i64"),
    _event("VoteCast", "content_hash:hash voter:key approve:bool"),
    _event("MessageDecided", "content_hash:hash status:u8 leaf_index:u32 share:u64"),
    _event("CoAuthorJoined", "key:key"),
    _event("CoAuthorLeft", "key:key amount:u64"),
    _event("MessageCancelled", "content_hash:hash"),
    _event("MessageExpired", "content_hash:hash"),
    _event("StakeRefunded", "content_hash:hash amount:u64"),
    _event("EscrowClaimed", "content_hash:hash voter:key amount:u64"),
    _event("Swept", "amount:u64"),
    _event("Configured", "minimum_stake:u64 approval_window:i64 admin:key allow_freezable:bool", "protocol"),
    _event("TreasuryWithdrawn", "amount:u64 destination:key", "protocol"),
)

INSTRUCTIONS = {spec.name: spec for spec in _INSTRUCTIONS}
ACCOUNTS = {spec.name: spec for spec in _ACCOUNTS}
EVENTS = {spec.name: spec for spec in _EVENTS}
