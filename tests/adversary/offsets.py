"""Where fields stand in instruction data and in accounts, from the interface's tables."""

from __future__ import annotations

from programs.interface import ACCOUNTS, HEADER, INSTRUCTIONS
from programs.wire import Field, Record

_DISCRIMINATOR = 8


def in_data(instruction: str, name: str) -> int:
    """Offset of an argument in an instruction's data. Raises ValueError where there is none of that name."""
    return _offset(INSTRUCTIONS[instruction].args.fields, name)


def in_account(account: str, name: str) -> int:
    """Offset of a fixed field in the data of an account type."""
    return _offset((*HEADER, *ACCOUNTS[account].fixed), name)


def _offset(fields: tuple[Field, ...], name: str) -> int:
    place = [field.name for field in fields].index(name)
    return _DISCRIMINATOR + Record(*fields[:place]).size
