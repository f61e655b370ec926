"""Landed transactions in the encodings of getTransaction and getBlock."""

from __future__ import annotations

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

from datasources.solana.localnet.encoding import base58, base64_pair, compiled_instruction
from datasources.solana.localnet.errors import unsupported_version
from datasources.solana.localnet.model import Json, TransactionRow

TRANSACTION_ENCODINGS = ("json", "jsonParsed", "base64", "base58", "binary")


def status_json(err: Json) -> Json:
    """The older form of an outcome: `{Ok: null}` or `{Err: …}`."""
    return {"Ok": None} if err is None else {"Err": err}


def transaction_json(row: TransactionRow, encoding: str, max_version: int | None) -> dict[str, Json]:
    """`{transaction, meta, version?}`. Raises RpcError (-32015) on a version that the caller did not ask for."""
    transaction = VersionedTransaction.from_bytes(row.raw)
    message = transaction.message
    versioned = isinstance(message, MessageV0)
    if versioned and max_version is None:
        raise unsupported_version(0)
    meta = {"err": row.err, "status": status_json(row.err), **row.meta}
    shown: Json
    if encoding == "base64":
        shown = base64_pair(row.raw)
    elif encoding in ("base58", "binary"):
        shown = [base58(row.raw), "base58"] if encoding == "base58" else base58(row.raw)
    else:
        parsed = encoding == "jsonParsed"
        keys = [str(key) for key in message.account_keys]
        loaded = row.meta["loadedAddresses"]
        every = keys + loaded["writable"] + loaded["readonly"]
        shown = {
            "signatures": [str(signature) for signature in transaction.signatures],
            "message": _parsed_message(message, every, loaded) if parsed else _message(message, keys),
        }
        if parsed:
            meta["innerInstructions"] = [
                {**group, "instructions": [_partial(each, every) for each in group["instructions"]]}
                for group in row.meta["innerInstructions"]
            ]
            del meta["loadedAddresses"]  # they are among the account keys
    answer: dict[str, Json] = {"transaction": shown, "meta": meta}
    if max_version is not None:
        answer["version"] = 0 if versioned else "legacy"
    return answer


def _message(message: Message | MessageV0, keys: list[str]) -> Json:
    header = message.header
    shown: dict[str, Json] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": keys,
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [compiled_instruction(each, 1) for each in message.instructions],
    }
    return {**shown, "addressTableLookups": _lookups(message)} if isinstance(message, MessageV0) else shown


def _parsed_message(message: Message | MessageV0, every: list[str], loaded: Json) -> Json:
    header = message.header
    static = len(message.account_keys)
    signed_writable = header.num_required_signatures - header.num_readonly_signed_accounts
    unsigned_writable = static - header.num_readonly_unsigned_accounts
    loaded_writable = static + len(loaded["writable"])

    def writable(index: int) -> bool:
        if index >= static:
            return index < loaded_writable
        return index < signed_writable or header.num_required_signatures <= index < unsigned_writable

    shown: dict[str, Json] = {
        "accountKeys": [
            {
                "pubkey": key,
                "signer": index < header.num_required_signatures,
                "source": "transaction" if index < static else "lookupTable",
                "writable": writable(index),
            }
            for index, key in enumerate(every)
        ],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [_partial(compiled_instruction(each, 1), every) for each in message.instructions],
    }
    return {**shown, "addressTableLookups": _lookups(message)} if isinstance(message, MessageV0) else shown


def _partial(instruction: Json, every: list[str]) -> Json:
    # RPC's form for programs that it has no parser for; every reader of jsonParsed takes it.
    return {
        "programId": every[instruction["programIdIndex"]],
        "accounts": [every[index] for index in instruction["accounts"]],
        "data": instruction["data"],
        "stackHeight": instruction["stackHeight"],
    }


def _lookups(message: MessageV0) -> Json:
    return [
        {
            "accountKey": str(lookup.account_key),
            "writableIndexes": list(lookup.writable_indexes),
            "readonlyIndexes": list(lookup.readonly_indexes),
        }
        for lookup in message.address_table_lookups
    ]
