"""What is read off SPL Token accounts."""

from __future__ import annotations

from enum import Enum, auto

from chorale.domain.chain import AccountData
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.wire import key_bytes

TOKEN_ACCOUNT_SIZE = 165
_MINT, _HOLDER, _AMOUNT, _STATE = slice(0, 32), slice(32, 64), slice(64, 72), 108
_INITIALISED, _FROZEN = 1, 2


class Payability(Enum):
    """Whether a wallet's associated token account can take a payment; where it is missing it can be made first."""

    PAYABLE = auto()
    MISSING = auto()
    FOREIGN = auto()
    FROZEN = auto()


def payability(account: AccountData | None, holder: str, mint: str) -> Payability:
    """Of what lies at the associated address of `holder` for `mint` (base58)."""
    if account is None or (account.owner == SYSTEM_PROGRAM and not account.data):
        return Payability.MISSING
    data = account.data
    if account.owner != TOKEN_PROGRAM or len(data) != TOKEN_ACCOUNT_SIZE:
        return Payability.FOREIGN
    if (data[_MINT], data[_HOLDER]) != (key_bytes(mint), key_bytes(holder)):
        return Payability.FOREIGN
    if data[_STATE] == _FROZEN:
        return Payability.FROZEN
    return Payability.PAYABLE if data[_STATE] == _INITIALISED else Payability.FOREIGN


def token_amount(account: AccountData | None) -> int:
    """Base units in a token account; 0 where there is none."""
    return 0 if account is None else int.from_bytes(account.data[_AMOUNT], "little")
