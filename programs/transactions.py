"""Signed transactions as they arrive from wallets, and unsigned ones for them. Keys and signatures are base58."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash, ParseHashError
from solders.instruction import Instruction
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError, Transaction, VersionedTransaction

from programs.addresses import COMPUTE_BUDGET_PROGRAM
from programs.instructions import DecodedInstruction, decode_instruction
from programs.wire import WireError, key_bytes

MAX_TRANSACTION_BYTES = 1232
_SET_LIMIT = 2
_SET_PRICE = 3


class TransactionMalformed(ValueError):
    """The transaction cannot be read; the message names the cure."""


@dataclass(frozen=True, slots=True)
class TransactionInstruction:
    """One top-level instruction; `decoded` is set exactly where it belongs to the program."""

    program_id: str
    accounts: tuple[str, ...]
    data: bytes
    decoded: DecodedInstruction | None


@dataclass(frozen=True, slots=True)
class DecodedTransaction:
    """A transaction taken apart. `signers` sign in the order of `signatures`; the first pays the fee.

    `compute_unit_limit` in units and `compute_unit_price` in micro-lamports are None where they are not set.
    """

    raw: bytes
    message: bytes
    version: int | None
    signatures: tuple[str, ...]
    signers: tuple[str, ...]
    blockhash: str
    uses_durable_nonce: bool
    instructions: tuple[TransactionInstruction, ...]
    compute_unit_limit: int | None
    compute_unit_price: int | None

    @property
    def signature(self) -> str:
        """The first signature: the transaction's id."""
        return self.signatures[0]

    @property
    def fee_payer(self) -> str:
        """Who pays the fee."""
        return self.signers[0]


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Signers whose signature is absent (all zero) or does not verify."""

    missing: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every required signature is there and right."""
        return not self.missing and not self.wrong


def decode_transaction(raw: bytes, program_id: str) -> DecodedTransaction:
    """Takes a legacy or v0 transaction apart. Raises TransactionMalformed; signatures are not checked here."""
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise TransactionMalformed(
            f"The transaction has {len(raw)} bytes, {MAX_TRANSACTION_BYTES} are allowed. Sign what `prepare` returned."
        )
    transaction = _parse(raw)
    message = transaction.message
    if isinstance(message, MessageV0) and message.address_table_lookups:
        raise TransactionMalformed(
            "The transaction uses address lookup tables, which this server does not read. "
            "Name every account in the transaction itself."
        )
    keys = tuple(str(key) for key in message.account_keys)
    if len(set(keys)) != len(keys):
        raise TransactionMalformed("The transaction names an account twice. Build it again with a Solana library.")
    instructions = tuple(
        _instruction(
            keys[compiled.program_id_index],
            tuple(keys[index] for index in bytes(compiled.accounts)),
            bytes(compiled.data),
            program_id,
        )
        for compiled in message.instructions
    )
    limit, price = _compute_budget(instructions)
    return DecodedTransaction(
        raw=raw,
        message=bytes(to_bytes_versioned(message)),
        version=0 if isinstance(message, MessageV0) else None,
        signatures=tuple(str(signature) for signature in transaction.signatures),
        signers=keys[: message.header.num_required_signatures],
        blockhash=str(message.recent_blockhash),
        uses_durable_nonce=transaction.uses_durable_nonce(),
        instructions=instructions,
        compute_unit_limit=limit,
        compute_unit_price=price,
    )


def check_signatures(transaction: DecodedTransaction) -> SignatureCheck:
    """Verifies every required signature over the message."""
    missing, wrong = [], []
    for signer, text in zip(transaction.signers, transaction.signatures, strict=True):
        signature = Signature.from_string(text)
        if signature == Signature.default():
            missing.append(signer)
        elif not signature.verify(Pubkey.from_string(signer), transaction.message):
            wrong.append(signer)
    return SignatureCheck(tuple(missing), tuple(wrong))


def compose(
    *,
    payer: str,
    instructions: Sequence[Instruction],
    blockhash: str,
    compute_unit_limit: int | None = None,
    compute_unit_price: int | None = None,
) -> bytes:
    """An unsigned legacy transaction, which every wallet reads; its signatures are zeros.

    Limit in compute units, price in micro-lamports per unit. Raises WireError on a malformed payer or blockhash,
    TransactionMalformed where it grows too long.
    """
    budget = []
    if compute_unit_limit is not None:
        budget.append(set_compute_unit_limit(compute_unit_limit))
    if compute_unit_price:
        budget.append(set_compute_unit_price(compute_unit_price))
    try:
        recent = Hash.from_string(blockhash)
    except ParseHashError as error:
        raise WireError(f"{blockhash!r} is not a base58 blockhash.") from error
    message = Message.new_with_blockhash([*budget, *instructions], Pubkey.from_bytes(key_bytes(payer)), recent)
    raw = bytes(Transaction.new_unsigned(message))
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise TransactionMalformed(f"The transaction would have {len(raw)} bytes, {MAX_TRANSACTION_BYTES} are allowed.")
    return raw


def _parse(raw: bytes) -> VersionedTransaction:
    try:
        transaction = VersionedTransaction.from_bytes(raw)
        transaction.sanitize()
    except SanitizeError as error:
        raise TransactionMalformed(
            f"The transaction contradicts itself ({error}). Sign what `prepare` returned, unchanged."
        ) from error
    except ValueError as error:
        raise TransactionMalformed(
            f"The transaction is truncated or no transaction ({error}). Send all bytes that the wallet returned."
        ) from error
    canonical = bytes(transaction)
    if canonical == raw:
        return transaction
    if raw.startswith(canonical):
        raise TransactionMalformed(
            f"{len(raw) - len(canonical)} bytes follow the transaction. Send exactly what the wallet returned."
        )
    raise TransactionMalformed("The transaction is not encoded canonically. Send exactly what the wallet returned.")


def _instruction(called: str, accounts: tuple[str, ...], data: bytes, program_id: str) -> TransactionInstruction:
    if called != program_id:
        return TransactionInstruction(called, accounts, data, None)
    try:
        return TransactionInstruction(called, accounts, data, decode_instruction(data, accounts))
    except WireError as error:
        raise TransactionMalformed(f"{error} Sign what `prepare` returned.") from error


def _compute_budget(instructions: Sequence[TransactionInstruction]) -> tuple[int | None, int | None]:
    limit = price = None
    for instruction in instructions:
        data = instruction.data
        if instruction.program_id != COMPUTE_BUDGET_PROGRAM or not data:
            continue
        if data[0] == _SET_LIMIT and len(data) == 5:
            limit = int.from_bytes(data[1:], "little")
        elif data[0] == _SET_PRICE and len(data) == 9:
            price = int.from_bytes(data[1:], "little")
    return limit, price
