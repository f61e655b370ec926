"""Making a wallet's associated token account: the one instruction of another program that goes along with a payout."""

from __future__ import annotations

from collections.abc import Sequence

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from programs.addresses import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM, associated_token_account
from programs.wire import WireError, key_bytes

_CREATE_IDEMPOTENT = b"\x01"  # succeeds, changing nothing, where the account is there


def create_associated_account(*, payer: str, owner: str, mint: str) -> Instruction:
    """Makes the associated token account of `owner` for `mint` where it is missing; `payer` signs and pays its rent."""
    keys = (associated_token_account(owner, mint), owner, mint, SYSTEM_PROGRAM, TOKEN_PROGRAM)
    address, *others = (Pubkey.from_bytes(key_bytes(key)) for key in keys)
    metas = [
        AccountMeta(Pubkey.from_bytes(key_bytes(payer)), is_signer=True, is_writable=True),
        AccountMeta(address, is_signer=False, is_writable=True),
        *(AccountMeta(key, is_signer=False, is_writable=False) for key in others),
    ]
    return Instruction(Pubkey.from_bytes(key_bytes(ASSOCIATED_TOKEN_PROGRAM)), _CREATE_IDEMPOTENT, metas)


def associated_account_made(data: bytes, accounts: Sequence[str]) -> tuple[str, str] | None:
    """Owner and address of the account that such an instruction makes; None where it is any other."""
    if data != _CREATE_IDEMPOTENT or len(accounts) != 6:
        return None
    _, address, owner, mint, *programs = accounts
    if programs != [SYSTEM_PROGRAM, TOKEN_PROGRAM]:
        return None
    try:
        return (owner, address) if associated_token_account(owner, mint) == address else None
    except WireError:
        return None
