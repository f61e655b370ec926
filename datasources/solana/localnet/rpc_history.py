"""RPC methods that tell what has landed: statuses, histories, transactions and blocks."""

from __future__ import annotations

from solders.signature import Signature

from datasources.solana.localnet.errors import block_not_available, invalid_params
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.method import Method, with_context
from datasources.solana.localnet.model import Json, Landed
from datasources.solana.localnet.params import Config, Params
from datasources.solana.localnet.rpc_cluster import block_time
from datasources.solana.localnet.transaction_json import TRANSACTION_ENCODINGS, status_json, transaction_json

_MAX_STATUSES = 256
_MAX_SIGNATURES = 1_000
_MAX_BLOCKS = 500_000
_RECENT_SLOTS = 300
_BEYOND = 2**63 - 1


def get_signature_statuses(ledger: Ledger, params: Params) -> Json:
    wanted = params.required(0)
    if not isinstance(wanted, list) or len(wanted) > _MAX_STATUSES:
        raise invalid_params(f"Too many inputs provided; max {_MAX_STATUSES}")
    slot = ledger.slot
    oldest = 0 if params.config(1).flag("searchTransactionHistory") else slot - _RECENT_SLOTS
    rows = [ledger.store.landed(as_signature(signature)) for signature in wanted]
    return with_context(slot, [_status(row) if row and row.slot >= oldest else None for row in rows])


def get_signatures_for_address(ledger: Ledger, params: Params) -> Json:
    address, config = bytes(params.key(0)), params.config(1)
    config.require_slot(ledger.slot)
    limit = config.number("limit")
    if limit is not None and not 0 < limit <= _MAX_SIGNATURES:
        raise invalid_params(f"Invalid limit; max {_MAX_SIGNATURES}")
    before, after = _BEYOND, 0
    if (signature := config.text("before")) is not None:
        row = ledger.store.landed(as_signature(signature))
        before = row.sequence if row else 0  # nothing lies before a transaction that is not known
    if (signature := config.text("until")) is not None:
        row = ledger.store.landed(as_signature(signature))
        after = row.sequence if row else 0
    rows = ledger.store.transactions_of(address, before=before, after=after, limit=limit or _MAX_SIGNATURES)
    return [
        {
            "signature": row.signature,
            "slot": row.slot,
            "err": row.err,
            "memo": row.memo,
            "blockTime": row.block_time,
            "confirmationStatus": "finalized",
        }
        for row in rows
    ]


def get_transaction(ledger: Ledger, params: Params) -> Json:
    signature, config = as_signature(params.required(0)), params.config(1)
    encoding, version = _encoding(config)
    row = ledger.store.transaction_by_signature(signature)
    if row is None:
        return None
    return {"slot": row.slot, "blockTime": row.block_time, **transaction_json(row, encoding, version)}


def get_block(ledger: Ledger, params: Params) -> Json:
    slot, config = params.number(0), params.config(1)
    details = config.choice("transactionDetails", ("full", "signatures", "none", "accounts"), "full")
    if details == "accounts":
        raise invalid_params("Invalid params: the embedded chain shows blocks in full, by signatures or with none.")
    if slot > ledger.slot:
        raise block_not_available(slot)
    encoding, version = _encoding(config)
    rows = ledger.store.transactions_in(slot) if details != "none" else []
    block: dict[str, Json] = {
        "blockHeight": slot,
        "blockTime": block_time(ledger, slot),
        "blockhash": str(ledger.blockhashes.of(slot)),
        "parentSlot": max(0, slot - 1),
        "previousBlockhash": str(ledger.blockhashes.of(slot - 1) if slot else ledger.genesis_hash),
    }
    if details == "full":
        block["transactions"] = [transaction_json(row, encoding, version) for row in rows]
    elif details == "signatures":
        block["signatures"] = [row.signature for row in rows]
    return block if config.value("rewards") is False else {**block, "rewards": []}


def get_blocks(ledger: Ledger, params: Params) -> Json:
    first = params.number(0)
    last = ledger.slot if not isinstance(params.value(1), int) else min(params.number(1), ledger.slot)
    if last - first > _MAX_BLOCKS:
        raise invalid_params(f"Slot range too large; max {_MAX_BLOCKS}")
    return list(range(first, last + 1))


def as_signature(value: Json) -> str:
    """A signature in base58. Raises RpcError (invalid params)."""
    if not isinstance(value, str):
        raise invalid_params("Invalid params: expected a signature in base58.")
    try:
        return str(Signature.from_string(value))
    except ValueError as error:
        raise invalid_params(f"Invalid param: {'WrongSize' if 'size' in str(error) else 'Invalid'}") from error


def _encoding(config: Config) -> tuple[str, int | None]:
    encoding = config.choice("encoding", TRANSACTION_ENCODINGS, "json")
    return encoding, config.number("maxSupportedTransactionVersion")


def _status(row: Landed) -> Json:
    return {
        "slot": row.slot,
        "confirmations": None,
        "err": row.err,
        "status": status_json(row.err),
        "confirmationStatus": "finalized",
    }


METHODS: dict[str, Method] = {
    "getSignatureStatuses": get_signature_statuses,
    "getSignaturesForAddress": get_signatures_for_address,
    "getTransaction": get_transaction,
    "getBlock": get_block,
    "getBlocks": get_blocks,
}
