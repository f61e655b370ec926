"""Instructions of the program to bytes and back, from the interface's tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.interface import INSTRUCTIONS
from programs.wire import Value, WireError, key_bytes

_BY_DISCRIMINATOR = {spec.discriminator: spec for spec in INSTRUCTIONS.values()}
_PROGRAMS = {"system_program": SYSTEM_PROGRAM, "token_program": TOKEN_PROGRAM}


@dataclass(frozen=True, slots=True)
class DecodedInstruction:
    """One instruction of the program: snake-case name, arguments and account keys by name."""

    name: str
    args: dict[str, Value]
    accounts: dict[str, str]


def encode_instruction(
    program_id: str,
    name: str,
    args: Mapping[str, Value],
    accounts: Mapping[str, str],
    *,
    signers: Collection[str] = (),
) -> Instruction:
    """Instruction `name` with `accounts` by role name; `signers` names the roles that sign where they need not."""
    spec = INSTRUCTIONS[name]
    metas = [
        AccountMeta(
            Pubkey.from_bytes(key_bytes(_PROGRAMS.get(role.name) or accounts[role.name])),
            is_signer=role.signer or role.name in signers,
            is_writable=role.writable,
        )
        for role in spec.accounts
    ]
    data = spec.discriminator + spec.args.encode(args)
    return Instruction(Pubkey.from_bytes(key_bytes(program_id)), data, metas)


def decode_instruction(data: bytes, accounts: Sequence[str]) -> DecodedInstruction:
    """The instruction in `data` with its account keys in order. Raises WireError unless both fit one exactly."""
    spec = _BY_DISCRIMINATOR.get(data[:8])
    if spec is None:
        raise WireError("The instruction is not one of this program.")
    if len(data) != 8 + spec.args.size:
        raise WireError(f"{spec.name} has {len(data)} bytes of data, {8 + spec.args.size} are expected.")
    if len(accounts) != len(spec.accounts):
        raise WireError(f"{spec.name} has {len(accounts)} accounts, {len(spec.accounts)} are expected.")
    names = (role.name for role in spec.accounts)
    return DecodedInstruction(spec.name, spec.args.decode(data, 8), dict(zip(names, accounts, strict=True)))
