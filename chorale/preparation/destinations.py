"""Whether a payee's associated token account can be paid into, has to be made first, or is spoilt."""

from __future__ import annotations

from chorale.domain.chain import AccountData
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.program_refusals import foretold
from programs.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM
from programs.wire import key_bytes

TOKEN_ACCOUNT_SIZE = 165
_MINT, _HOLDER, _STATE = slice(0, 32), slice(32, 64), 108
_INITIALISED, _FROZEN = 1, 2


def is_missing(account: AccountData | None, payee: str, mint: str) -> bool:
    """Whether the account still has to be made. Refuses what is there and cannot take a payment."""
    if account is None or (account.owner == SYSTEM_PROGRAM and not account.data):
        return True
    data = account.data
    if account.owner != TOKEN_PROGRAM or len(data) != TOKEN_ACCOUNT_SIZE:
        raise RefusedError(foretold(ProgramError.INVALID_DESTINATION))
    if (data[_MINT], data[_HOLDER]) != (key_bytes(mint), key_bytes(payee)):
        raise RefusedError(foretold(ProgramError.INVALID_DESTINATION))
    if data[_STATE] == _FROZEN:
        raise RefusedError(
            Refusal(
                "NotAllowedNow",
                "DESTINATION_FROZEN",
                "The mint's freeze authority has frozen the payee's associated token account. Have it thawed, or let "
                "the payee sign for another account of theirs.",
                retryable=True,
            )
        )
    if data[_STATE] != _INITIALISED:
        raise RefusedError(foretold(ProgramError.INVALID_DESTINATION))
    return False
