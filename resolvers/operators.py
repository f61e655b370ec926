"""Who may operate the protocol: the admin that the chain names, and nobody by a setting."""

from __future__ import annotations

from chorale.context import Context
from chorale.domain.errors import ForbiddenError, UnauthenticatedError
from programs.transactions import DecodedTransaction, TransactionMalformed, decode_transaction


async def only_admin(context: Context, signed: bytes | None = None) -> None:
    """Let the admin pass, and whoever asks again for the result of an own transaction that has landed: it may have
    named another admin. Raises UnauthenticatedError, ForbiddenError."""
    wallet = context.wallet
    if wallet is None:
        raise UnauthenticatedError
    read = await context.loaders.protocol()
    if read is not None and read[0].admin == wallet:
        return
    if signed is None or not await _has_landed(context, wallet, signed):
        raise ForbiddenError(
            "Only the protocol's admin may do this. Sign in as the wallet that `protocol.admin` names."
        )


async def _has_landed(context: Context, wallet: str, signed: bytes) -> bool:
    try:
        transaction = decode_transaction(signed, context.addresses.program_id)
    except TransactionMalformed:
        return False
    if wallet != _admin_in(transaction):
        return False
    status = await context.chain.status(transaction.signature, search_history=True)
    return status is not None and status.error is None


def _admin_in(transaction: DecodedTransaction) -> str | None:
    decoded = (part.decoded for part in transaction.instructions if part.decoded is not None)
    return next((instruction.accounts.get("admin") for instruction in decoded), None)
