"""Instructions changed in one place, as a careless or hostile client would send them."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey


def with_meta(instruction: Instruction, place: int, **flags: bool) -> Instruction:
    """The instruction with other flags at one place."""
    metas = list(instruction.accounts)
    old = metas[place]
    signer, writable = flags.get("is_signer", old.is_signer), flags.get("is_writable", old.is_writable)
    metas[place] = AccountMeta(old.pubkey, signer, writable)
    return Instruction(instruction.program_id, bytes(instruction.data), metas)


def with_account(instruction: Instruction, place: int, address: str) -> Instruction:
    """The instruction with another account at one place."""
    metas = list(instruction.accounts)
    metas[place] = AccountMeta(Pubkey.from_string(address), metas[place].is_signer, metas[place].is_writable)
    return Instruction(instruction.program_id, bytes(instruction.data), metas)


def with_data(instruction: Instruction, data: bytes) -> Instruction:
    """The instruction with other data."""
    return Instruction(instruction.program_id, data, list(instruction.accounts))


def with_accounts(instruction: Instruction, metas: list[AccountMeta]) -> Instruction:
    """The instruction with another account list."""
    return Instruction(instruction.program_id, bytes(instruction.data), metas)
