"""LiteSVM as this chain needs it, and the refusal on platforms whose solders wheel lacks it."""

from __future__ import annotations

from datasources.solana.localnet.errors import RuntimeUnavailableError

try:
    from solders.litesvm import LiteSVM
    from solders.transaction_metadata import (
        FailedTransactionMetadata,
        InnerInstruction,
        SimulatedTransactionInfo,
        TransactionMetadata,
    )
except ImportError as error:
    raise RuntimeUnavailableError from error

__all__ = [
    "FailedTransactionMetadata",
    "InnerInstruction",
    "LiteSVM",
    "SimulatedTransactionInfo",
    "TransactionMetadata",
    "new_runtime",
]


def new_runtime() -> LiteSVM:
    """A fresh runtime with the SPL programs. Blockhashes and replays are the ledger's: LiteSVM remembers too few."""
    return (
        LiteSVM()
        .with_sigverify(True)
        .with_blockhash_check(False)
        .with_transaction_history(0)
        .with_log_bytes_limit(None)
    )
