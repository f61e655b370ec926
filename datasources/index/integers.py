"""Amounts of tokens are unsigned 64-bit integers on chain, and SQLite's are signed: the upper half is kept negative.

Two's complement keeps 0 and equality, and no order: amounts are compared with `<> 0` only, never sorted.
"""

from __future__ import annotations

_RANGE = 2**64
_SIGN = 2**63


def signed(amount: int) -> int:
    """An amount of 0 to 2**64 - 1 as SQLite keeps it."""
    return amount - _RANGE if amount >= _SIGN else amount


def exact_sum(column: str) -> str:
    """SQL for the two halves of the sum over a column of amounts, which SQLite's own would overflow; see `joined`."""
    return f"coalesce(sum({column} >> 32 & 4294967295), 0), coalesce(sum({column} & 4294967295), 0)"


def joined(high: int, low: int) -> int:
    """The sum that `exact_sum` took apart."""
    return (high << 32) + low


def unsigned(kept: int) -> int:
    """The amount that `signed` made `kept` of."""
    return kept % _RANGE
