"""Who may operate what. The protocol: the admin that the chain names, and nobody by a setting. This server, which is to
see its boundaries and have derived state repaired: the admin, and the wallets that its settings name."""

from __future__ import annotations

from contextlib import suppress

from chorale.context import Context
from chorale.domain.errors import AuthorityUnavailableError, ForbiddenError, UnauthenticatedError
from chorale.domain.updates import Authority
from programs.transactions import DecodedTransaction, TransactionMalformed, decode_transaction
from resolvers.permissions import still_admitted


async def only_admin(context: Context, signed: bytes | None = None) -> None:
    """Let the admin pass, and whoever asks again for the result of an own transaction that has landed: it may have
    named another admin. Raises UnauthenticatedError, ForbiddenError."""
    wallet = context.wallet
    if wallet is None:
        raise UnauthenticatedError
    if await _is_admin(context, wallet):
        return
    if signed is None or not await _has_landed(context, wallet, signed):
        raise ForbiddenError(
            "Only the protocol's admin may do this. Sign in as the wallet that `protocol.admin` names."
        )


async def is_operator(context: Context) -> bool:
    """Whether the viewer operates this server. Raises AuthorityUnavailableError where only Solana could tell."""
    wallet = context.wallet
    return wallet is not None and (wallet in context.operators or await _is_admin(context, wallet))


async def only_operator(context: Context) -> None:
    """Let operators of this server pass. Raises UnauthenticatedError, ForbiddenError, AuthorityUnavailableError."""
    if context.wallet is None:
        raise UnauthenticatedError
    if not await is_operator(context):
        raise ForbiddenError(
            "Only operators may do this. Sign in as the protocol's admin, or as a wallet that CHORALE_OPERATORS names."
        )


async def still_operator(context: Context) -> None:
    """For what runs long: the same again, with the session. An authority that is away ends nothing: whoever was let in
    is to see that it is."""
    with suppress(AuthorityUnavailableError):
        await still_admitted(context)
    with suppress(AuthorityUnavailableError):
        await only_operator(context)


async def _is_admin(context: Context, wallet: str) -> bool:
    read = await context.loaders.protocol()
    if context.loaders.stale is not None:  # what was known of the admin decides nothing
        raise AuthorityUnavailableError(Authority.SOLANA)
    return read is not None and read[0].admin == wallet


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
