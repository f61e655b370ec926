"""What transactions may consume and what they cost, besides rent."""

from __future__ import annotations

LAMPORTS_PER_SIGNATURE = 5_000

COMPUTE_UNITS = {
    "create_thread": 120_000,
    "post_message": 100_000,
    "submit_message": 100_000,
    "cast_vote": 180_000,
    "cancel": 20_000,
    "claim": 80_000,
    "refund": 80_000,
    "divest": 60_000,
    "sweep": 40_000,
    "expire": 20_000,
    "resolve": 100_000,
    "configure": 10_000,
    "withdraw_treasury": 30_000,
}
"""Limits: the measured need (docs/compute-units.md) with room for unlucky bumps, which the program searches for."""


def fee_lamports(signatures: int, price: int, units: int) -> int:
    """Lamports at `price` micro-lamports per unit of the limit `units`; the priority part is rounded up."""
    return LAMPORTS_PER_SIGNATURE * signatures + -(-price * units // 1_000_000)
