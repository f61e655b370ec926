"""Whether a payee's associated token account can be paid into, has to be made first, or is spoilt."""

from __future__ import annotations

from chorale.domain.chain import AccountData
from chorale.domain.program_errors import ProgramError
from chorale.domain.updates import Refusal, RefusedError
from chorale.update.program_refusals import foretold
from programs.token_accounts import Payability, payability


def is_missing(account: AccountData | None, payee: str, mint: str) -> bool:
    """Whether the account still has to be made. Refuses what is there and cannot take a payment."""
    found = payability(account, payee, mint)
    if found is Payability.FROZEN:
        raise RefusedError(
            Refusal(
                "NotAllowedNow",
                "DESTINATION_FROZEN",
                "The mint's freeze authority has frozen the payee's associated token account. Have it thawed, or let "
                "the payee sign for another account of theirs.",
                retryable=True,
            )
        )
    if found is Payability.FOREIGN:
        raise RefusedError(foretold(ProgramError.INVALID_DESTINATION))
    return found is Payability.MISSING
