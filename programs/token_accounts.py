"""What is read off SPL Token accounts."""

from __future__ import annotations

from chorale.domain.chain import AccountData

_AMOUNT = slice(64, 72)


def token_amount(account: AccountData | None) -> int:
    """Base units in a token account; 0 where there is none."""
    return 0 if account is None else int.from_bytes(account.data[_AMOUNT], "little")
