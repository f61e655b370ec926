"""Amounts of tokens are unsigned 64-bit integers on chain, and SQLite's are signed: the upper half is kept negative.

Two's complement keeps 0 and equality, and no order: amounts are compared with `<> 0` only, never sorted.
"""

from __future__ import annotations

_RANGE = 2**64
_SIGN = 2**63


def signed(amount: int) -> int:
    """An amount of 0 to 2**64 - 1 as SQLite keeps it."""
    return amount - _RANGE if amount >= _SIGN else amount


def unsigned(kept: int) -> int:
    """The amount that `signed` made `kept` of."""
    return kept % _RANGE
