"""RPC methods that send and simulate transactions, and airdrops."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from solders.compute_budget import set_compute_unit_limit
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import SanitizeError, VersionedTransaction

from datasources.solana.localnet.encoding import base58_bytes
from datasources.solana.localnet.error_texts import error_text
from datasources.solana.localnet.errors import INTERNAL_ERROR, PREFLIGHT_FAILURE, RpcError, invalid_params
from datasources.solana.localnet.ledger import Ledger, Refusal
from datasources.solana.localnet.method import Method, with_context
from datasources.solana.localnet.model import Json, StoredAccount
from datasources.solana.localnet.outcome import Outcome
from datasources.solana.localnet.params import Config, Params, as_key
from datasources.solana.localnet.rpc_accounts import AccountView

_MAX_BYTES = 1_232
_MAX_TEXT = {"base58": 1_683, "base64": 1_644}
_TYPE = "solana_transaction::versioned::VersionedTransaction"
_MOST_AIRDROP_UNITS = 1_400_000
_LEAST_AIRDROP_UNITS = 10_000


def send_transaction(ledger: Ledger, params: Params) -> Json:
    config = params.config(1)
    transaction = _transaction(params.text(0), config)
    config.require_slot(ledger.slot)
    preflight = not config.flag("skipPreflight")
    try:
        return ledger.send(transaction, keep_failed=not preflight)
    except Refusal as refusal:
        if preflight or transaction.uses_durable_nonce():
            raise _preflight_failure(refusal) from refusal
    return str(transaction.signatures[0])  # unchecked and then dropped, as a cluster does


def simulate_transaction(ledger: Ledger, params: Params) -> Json:
    config = params.config(1)
    transaction = _transaction(params.text(0), config)
    slot = ledger.slot
    config.require_slot(slot)
    verify, replace = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    wanted = _wanted_accounts(config)
    try:
        outcome = ledger.simulate(transaction, verify=verify, check=not replace)
    except Refusal as refusal:
        outcome = Outcome(refusal.err, refusal.logs, 0, (), None, {}, {})
    value = _simulated(outcome.err, outcome.logs, outcome.units, outcome.return_data)
    if config.flag("innerInstructions"):
        value["innerInstructions"] = list(outcome.inner)
    if replace:
        blockhash, last_valid = ledger.latest_blockhash()
        value["replacementBlockhash"] = {"blockhash": str(blockhash), "lastValidBlockHeight": last_valid}
    if wanted is not None:
        view = AccountView(ledger, wanted[1], "base64")
        value["accounts"] = [view.show(_after(ledger, outcome, key)) for key in wanted[0]]
    return with_context(slot, value)


def request_airdrop(ledger: Ledger, params: Params) -> Json:
    recipient, lamports = params.key(0), params.number(1)
    blockhash, _ = ledger.latest_blockhash()
    # Every airdrop must be a transaction of its own: an unused compute limit tells equal ones apart.
    counted = ledger.store.transaction_count() % (_MOST_AIRDROP_UNITS - _LEAST_AIRDROP_UNITS)
    faucet = ledger.faucet
    pay = transfer(TransferParams(from_pubkey=faucet.pubkey(), to_pubkey=recipient, lamports=lamports))
    message = Message.new_with_blockhash(
        [set_compute_unit_limit(_LEAST_AIRDROP_UNITS + counted), pay], faucet.pubkey(), blockhash
    )
    try:
        return ledger.send(VersionedTransaction(message, [faucet]), keep_failed=False)
    except Refusal as refusal:
        raise RpcError(INTERNAL_ERROR, f"Airdrop failed: {error_text(refusal.err)}") from refusal


def _transaction(text: str, config: Config) -> VersionedTransaction:
    encoding = config.choice("encoding", ("base58", "base64"), "base58")
    if len(text) > _MAX_TEXT[encoding]:
        limits = f"{_MAX_TEXT[encoding]}/{_MAX_BYTES}"
        raise invalid_params(f"{encoding} encoded {_TYPE} too large: {len(text)} bytes (max: encoded/raw {limits})")
    try:
        raw = base58_bytes(text) if encoding == "base58" else a2b_base64(text, strict_mode=True)
    except (ValueError, Base64Error) as error:
        raise invalid_params(f"invalid {encoding} encoding: {error}") from error
    if len(raw) > _MAX_BYTES:
        raise invalid_params(f"decoded {_TYPE} too large: {len(raw)} bytes (max: {_MAX_BYTES} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise invalid_params(f"failed to deserialize {_TYPE}: {error}") from error
    try:
        transaction.sanitize()
    except SanitizeError as error:
        raise invalid_params(f"invalid transaction: {error_text('SanitizeFailure')}") from error
    return transaction


def _preflight_failure(refusal: Refusal) -> RpcError:
    return RpcError(
        PREFLIGHT_FAILURE,
        f"Transaction simulation failed: {error_text(refusal.err)}",
        _simulated(refusal.err, refusal.logs, refusal.units, refusal.return_data),
    )


def _simulated(err: Json, logs: tuple[str, ...], units: int, return_data: Json) -> dict[str, Json]:
    return {
        "accounts": None,
        "err": err,
        "innerInstructions": None,
        "logs": list(logs),
        "replacementBlockhash": None,
        "returnData": return_data,
        "unitsConsumed": units,
    }


def _wanted_accounts(config: Config) -> tuple[list[Pubkey], Config] | None:
    wanted = config.value("accounts")
    if wanted is None:
        return None
    if not isinstance(wanted, dict) or not isinstance(wanted.get("addresses"), list):
        raise invalid_params("Invalid params: accounts takes addresses and an encoding.")
    if wanted.get("encoding") in ("base58", "binary"):
        raise invalid_params("base58 encoding not supported")
    return [as_key(address) for address in wanted["addresses"]], Config({"encoding": wanted.get("encoding")})


def _after(ledger: Ledger, outcome: Outcome, key: Pubkey) -> StoredAccount | None:
    if outcome.err is not None:
        return None
    if key not in outcome.after:
        return ledger.account(key)
    account = outcome.after[key]
    return StoredAccount.of(account) if account else None


METHODS: dict[str, Method] = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "requestAirdrop": request_airdrop,
}
