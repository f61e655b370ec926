"""Arguments of a preparation: refused by name before anything is read."""

from __future__ import annotations

import secrets

from chorale.domain.commands import FeeOptions
from chorale.domain.content import body_problem
from chorale.domain.updates import RefusedError
from chorale.update.refusals import invalid_input
from programs.wire import WireError, hash_bytes, key_bytes

_U64 = 2**64


def check_identity(
    wallet: str, text: str, nonce: int | None, salt: str | None, field: str, limit: int
) -> tuple[int, str]:
    """Nonce and salt, drawn at random where absent, after all inputs have been checked."""
    check_key(wallet, "wallet")
    problem = body_problem(text, limit)
    if problem is not None:
        raise RefusedError(invalid_input(problem, field))
    if nonce is not None:
        check_u64(nonce, "nonce")
    if salt is not None:
        check_hash(salt, "salt")
    return secrets.randbits(64) if nonce is None else nonce, secrets.token_hex(32) if salt is None else salt


def check_hash(value: str, field: str) -> None:
    """Refuses what is no hash."""
    try:
        hash_bytes(value)
    except WireError as error:
        raise RefusedError(invalid_input(str(error), field)) from error


def check_key(key: str, field: str) -> None:
    """Refuses what is no public key."""
    try:
        key_bytes(key)
    except WireError as error:
        raise RefusedError(invalid_input(str(error), field)) from error


def check_u64(value: int, field: str) -> None:
    """Refuses what no u64 holds."""
    if not 0 <= value < _U64:
        raise RefusedError(invalid_input(f"{value} is not an unsigned 64-bit number.", field))


def fee_payer(wallet: str, fees: FeeOptions | None) -> str:
    """Who pays fee and rent: the wallet itself unless another is named."""
    if fees is None or fees.fee_payer is None:
        return wallet
    check_key(fees.fee_payer, "feePayer")
    return fees.fee_payer


def priority_price(fees: FeeOptions | None) -> int:
    """Micro-lamports per compute unit, 0 where none are offered."""
    price = (fees.priority_fee_micro_lamports if fees else None) or 0
    check_u64(price, "priorityFeeMicroLamports")
    return price
