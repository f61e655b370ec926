"""Reading a transaction's message: keys with their roles, lookup tables included, memos and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.model import StoredAccount

LAMPORTS_PER_SIGNATURE = 5_000
_TABLE_HEADER = 56
_MEMO_PROGRAMS = frozenset(
    Pubkey.from_string(key)
    for key in ("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr", "Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")
)


@dataclass(frozen=True, slots=True)
class MessageKeys:
    """Every account key of a message in the runtime's order: static, then loaded writable, then loaded read-only."""

    static: tuple[Pubkey, ...]
    loaded_writable: tuple[Pubkey, ...]
    loaded_readonly: tuple[Pubkey, ...]
    signers: int
    writable: frozenset[Pubkey]

    @property
    def all(self) -> tuple[Pubkey, ...]:
        """All keys; instructions point into this order."""
        return self.static + self.loaded_writable + self.loaded_readonly


def message_keys(message: Message | MessageV0, account: Callable[[Pubkey], StoredAccount | None]) -> MessageKeys:
    """Keys of `message`; `account` reads its lookup tables. Entries that a table lacks are left out (it cannot run)."""
    static = tuple(message.account_keys)
    header = message.header
    signers = header.num_required_signatures
    readonly_from = signers - header.num_readonly_signed_accounts
    unsigned_readonly_from = len(static) - header.num_readonly_unsigned_accounts
    writable = {key for i, key in enumerate(static) if i < readonly_from or signers <= i < unsigned_readonly_from}
    loaded_writable: list[Pubkey] = []
    loaded_readonly: list[Pubkey] = []
    for lookup in message.address_table_lookups if isinstance(message, MessageV0) else ():
        table = account(lookup.account_key)
        entries = table.data[_TABLE_HEADER:] if table else b""
        loaded_writable += _entries(entries, lookup.writable_indexes)
        loaded_readonly += _entries(entries, lookup.readonly_indexes)
    return MessageKeys(
        static, tuple(loaded_writable), tuple(loaded_readonly), signers, frozenset(writable) | set(loaded_writable)
    )


def memo_of(transaction: VersionedTransaction, keys: MessageKeys) -> str | None:
    """The memos of a transaction as getSignaturesForAddress shows them: `[bytes] text; …`."""
    every = keys.all
    memos = [
        f"[{len(data)}] {data.decode(errors='replace')}"
        for instruction in transaction.message.instructions
        if instruction.program_id_index < len(every) and every[instruction.program_id_index] in _MEMO_PROGRAMS
        for data in (bytes(instruction.data),)
    ]
    return "; ".join(memos) or None


def _entries(entries: bytes, indexes: bytes) -> list[Pubkey]:
    found = (entries[i * 32 : i * 32 + 32] for i in indexes)
    return [Pubkey.from_bytes(entry) for entry in found if len(entry) == 32]
