"""RPC JSON to the domain's shapes. Another shape raises KeyError, TypeError or ValueError, which callers turn."""

from __future__ import annotations

import struct
from base64 import b64decode
from typing import Any

from chorale.domain.chain import AccountData, Commitment, HistoryEntry, SignatureStatus
from chorale.domain.events import TransactionRecord
from programs.events import events_in

_UNIX_TIMESTAMP = struct.Struct("<q")
_ABSURD_SLOT = 2**40  # more than ten thousand years of slots
_UNIX_TIMESTAMP_OFFSET = 32  # in the Clock sysvar, behind slot, epoch start and two epochs


def text(value: Any) -> str:
    """A string, and nothing in its place."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} stands for text.")
    return value


def boolean(value: Any) -> bool:
    """True or false, and nothing in its place."""
    if not isinstance(value, bool):
        raise TypeError(f"{type(value).__name__} stands for a boolean.")
    return value


def slot(value: Any) -> int:
    """A slot that a chain can have reached."""
    if type(value) is not int or not 0 <= value < _ABSURD_SLOT:
        raise ValueError(f"{value!r} is no slot.")
    return value


def items(value: Any) -> list[Any]:
    """A list, and nothing in its place."""
    if not isinstance(value, list):
        raise TypeError(f"{type(value).__name__} stands for a list.")
    return value


def account(address: str, value: Any) -> AccountData | None:
    """One account answered with encoding base64; None where it is absent."""
    if value is None:
        return None
    return AccountData(
        address, text(value["owner"]), int(value["lamports"]), b64decode(value["data"][0], validate=True)
    )


def clock_time(data: bytes) -> int:
    """Unix seconds in the Clock sysvar."""
    return int(_UNIX_TIMESTAMP.unpack_from(data, _UNIX_TIMESTAMP_OFFSET)[0])


def signature_status(value: Any) -> SignatureStatus | None:
    """One entry of getSignatureStatuses."""
    if value is None:
        return None
    # Rooted transactions of old carry no confirmationStatus, only `confirmations: null`.
    name = value.get("confirmationStatus") or ("finalized" if value.get("confirmations") is None else "processed")
    return SignatureStatus(int(value["slot"]), value.get("err"), Commitment(name))


def history_entry(value: Any) -> HistoryEntry:
    """One entry of getSignaturesForAddress."""
    return HistoryEntry(text(value["signature"]), int(value["slot"]), value.get("blockTime"), value.get("err") is None)


def transaction_record(
    signature: str, slot: int, block_time: int, error: Any, logs: list[str] | None, program_id: str
) -> TransactionRecord:
    """A landed transaction; a failed one has no events, since nothing happened."""
    if error is not None:
        return TransactionRecord(signature, slot, block_time, False, (), logs=tuple(logs or ()))
    events, cut = events_in(logs or (), program_id)
    return TransactionRecord(signature, slot, block_time, True, events, cut or logs is None)


def balance_change(answer: Any, token_account: str) -> int | None:
    """By how much a transaction answered with encoding json changed a token account; None where it does not tell."""
    meta = answer.get("meta") or {}
    before, after = meta.get("preTokenBalances"), meta.get("postTokenBalances")
    if before is None or after is None:
        return None
    loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    keys = [*answer["transaction"]["message"]["accountKeys"], *loaded["writable"], *loaded["readonly"]]
    return _held(after, keys, token_account) - _held(before, keys, token_account)


def _held(balances: list[Any], keys: list[str], token_account: str) -> int:
    found = (each for each in balances if keys[int(each["accountIndex"])] == token_account)
    return next((int(each["uiTokenAmount"]["amount"]) for each in found), 0)
