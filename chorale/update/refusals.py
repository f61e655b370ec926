"""Refusals as data: from what a node answers, and from what this server checks itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError, MinimumSlotNotReachedError
from chorale.domain.updates import Authority, Refusal, RefusedError
from programs.accounts import AccountMalformed
from programs.problems import lacks_funds

P = ParamSpec("P")
T = TypeVar("T")

_REJECTED = "TransactionRejected"


def from_error(error: Any, logs: tuple[str, ...], message: str = "") -> Refusal:
    """What an `err` JSON that is not the program's means; AlreadyProcessed is none of these."""
    if is_blockhash_unknown(error):
        return blockhash_unknown()
    if error == "SignatureFailure":
        return transaction_invalid("SIGNATURE_WRONG", "A signature is wrong. Sign the transaction again.")
    if lacks_funds(error):
        return insufficient_funds(
            "The wallet has too few lamports or tokens for this transaction. Fund it first.", logs
        )
    shown = message or f"The transaction fails: {error}"
    return Refusal(_REJECTED, "REJECTED", f"{shown.rstrip('.')}. The logs say where.", logs=logs)


def expired() -> Refusal:
    """The transaction can no longer land and has not."""
    return Refusal(
        "TransactionExpired",
        "BLOCKHASH_EXPIRED",
        "The transaction's blockhash is no longer valid and it did not land. Prepare it again with the same nonce.",
        retryable=False,
    )


def is_blockhash_unknown(error: Any) -> bool:
    """Whether a node says that it does not know the blockhash: too old for it, or newer than what it has seen."""
    return bool(error == "BlockhashNotFound")


def blockhash_unknown() -> Refusal:
    """A node does not know the blockhash, which proves nothing yet."""
    return Refusal(
        "AuthorityUnavailable",
        "BLOCKHASH_NOT_FOUND",
        "Solana does not know the transaction's blockhash now. Send the same transaction again shortly.",
        retryable=True,
        authority=Authority.SOLANA,
    )


def insufficient_funds(explanation: str, logs: tuple[str, ...] = ()) -> Refusal:
    """Lamports or tokens are short."""
    return Refusal("InsufficientFunds", "INSUFFICIENT_FUNDS", explanation, logs=logs)


def treasury_too_low(held: int, asked: int) -> Refusal:
    """More is to be withdrawn than is there."""
    return Refusal(
        "InsufficientFunds",
        "TREASURY_TOO_LOW",
        f"The treasury holds {held} base units, {asked} were to be withdrawn. Withdraw less, or sweep threads first.",
    )


def not_found(what: str) -> Refusal:
    """Absent, or not visible to who asks: the two are not told apart."""
    return Refusal("NotFound", "NOT_FOUND", f"There is no such {what}, or it is not visible to you. Check its id.")


def already_there(what: str, problem: str = "NotAllowedNow") -> Refusal:
    """The account that would be made exists."""
    return Refusal(problem, "ALREADY_EXISTS", f"This {what} exists already. Prepare with another nonce.")


def nothing_to_decide() -> Refusal:
    """An evaluation that would change nothing: the program takes it, and the fee would be lost."""
    return Refusal(
        "NotAllowedNow",
        "NOTHING_TO_DECIDE",
        "Votes are still missing, or the thread has no room for what was approved. Try again after a vote, or after a "
        "co-author has left.",
        retryable=True,
    )


def too_many_staged(limit: int, problem: str) -> Refusal:
    """The author's texts wait for their transactions, as many as are kept."""
    return Refusal(
        problem,
        "TOO_MANY_STAGED",
        f"{limit} texts of this wallet wait for transactions that have not landed. Send those again, or wait until "
        "they are dropped after a day.",
        retryable=True,
    )


def transaction_invalid(code: str, explanation: str) -> Refusal:
    """The transaction is not one that this mutation takes."""
    return Refusal("TransactionInvalid", code, explanation)


def content_mismatch(field: str, expected: str, actual: str, holder: str = "the transaction") -> Refusal:
    """The text is not the one whose hash was signed."""
    return Refusal(
        "ContentMismatch",
        "CONTENT_MISMATCH",
        f"{field} and salt hash to {actual}, {holder} holds {expected}. Send the very bytes and salt that were "
        "prepared.",
        expected=expected,
        actual=actual,
    )


def idempotency_conflict() -> Refusal:
    """The key stands for something else."""
    return Refusal(
        "IdempotencyConflict",
        "IDEMPOTENCY_CONFLICT",
        "This idempotency key was used for another instruction or content. Use a new key.",
    )


def invalid_input(explanation: str, field: str) -> Refusal:
    """An argument cannot be used."""
    return Refusal("InvalidInput", "INVALID_INPUT", explanation, field=field)


def unavailable(error: AuthorityUnavailableError) -> Refusal:
    """An authority is away; the same call may succeed later."""
    return Refusal("AuthorityUnavailable", error.code, str(error), retryable=True, authority=error.authority)


def refusals_as_data(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T | Refusal]]:
    """`method` with its expected errors returned instead of raised."""

    @wraps(method)
    async def answer(*args: P.args, **kwargs: P.kwargs) -> T | Refusal:
        try:
            return await method(*args, **kwargs)
        except RefusedError as error:
            return error.refusal
        except InvalidInputError as error:
            return Refusal("InvalidInput", error.code, str(error), field=error.field)
        except AuthorityUnavailableError as error:
            return unavailable(error)
        except (MinimumSlotNotReachedError, AccountMalformed) as error:
            return unavailable(AuthorityUnavailableError(Authority.SOLANA, str(error)))

    return answer
