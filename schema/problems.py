"""Expected refusals as data: one type per cause, all with the same three fields."""

from __future__ import annotations

from typing import Any

import strawberry

from chorale.context import Context
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Refusal
from schema.enums import Authority
from schema.scalars import Hash
from schema.token import TokenAmount


@strawberry.interface(description="An expected refusal: nothing was changed, and the client can tell its user why.")
class Problem:
    """`explanation`, not `message`: a success may hold a message, and selections must merge."""

    code: str = strawberry.field(description="Stable and machine-readable, finer than the type.")
    explanation: str = strawberry.field(description="What is wrong and what to do about it, in a sentence or two.")
    retryable: bool = strawberry.field(description="Whether the same request may succeed later, unchanged.")


@strawberry.type(description="An argument cannot be used as it is.")
class InvalidInput(Problem):
    """Names the field at fault."""

    field: str | None = strawberry.field(description="The argument or input field at fault, where it is one.")


@strawberry.type(description="The text and salt do not hash to what the signed transaction, or the chain, says.")
class ContentMismatch(Problem):
    """Both hashes, for the client to compare."""

    expected: Hash = strawberry.field(description="The hash in the transaction, or on chain.")
    actual: Hash = strawberry.field(description="The hash of what was sent.")


@strawberry.type(description="Only a present co-author of the thread may do this.")
class NotACoAuthor(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="A co-author posts; submitting with a stake is for everyone else.")
class AlreadyACoAuthor(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="The stake is below the protocol's minimum.")
class StakeTooLow(Problem):
    """Names the minimum."""

    minimum: TokenAmount = strawberry.field(description="The least that is taken.")


@strawberry.type(description="The wallet does not hold enough of the token, or the fee payer not enough SOL.")
class InsufficientFunds(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="What the request names does not exist, or is not visible to the viewer.")
class NotFound(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(
    description="The rules do not allow it at this time: already voted, window closed, already decided, thread full. "
    "The code says which."
)
class NotAllowedNow(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(
    description="The signed transaction is malformed, holds an instruction that does not belong there, or lacks a "
    "valid signature."
)
class TransactionInvalid(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="The transaction surely did not land and never will. Prepare again with the same nonce.")
class TransactionExpired(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="The program refused the transaction.")
class TransactionRejected(Problem):
    """With the program's own words."""

    logs: list[str] = strawberry.field(description="The transaction's log lines.")
    program_error_code: int | None = strawberry.field(
        description="The program's custom error, from 6000; null where another program refused."
    )


@strawberry.type(description="The idempotency key was used before, with another input.")
class IdempotencyConflict(Problem):
    """Nothing beyond the shared fields."""


@strawberry.type(description="An authority is away, so nothing was done.")
class AuthorityUnavailable(Problem):
    """Names the authority."""

    authority: Authority = strawberry.field(description="Which of the four systems is away.")


@strawberry.type(description="The signed message, its nonce or its signature was refused. Ask for a new challenge.")
class SignInRefused(Problem):
    """Nothing beyond the shared fields."""


_PROBLEMS: dict[str, type[Problem]] = {
    problem.__name__: problem
    for problem in (
        InvalidInput,
        ContentMismatch,
        NotACoAuthor,
        AlreadyACoAuthor,
        StakeTooLow,
        InsufficientFunds,
        NotFound,
        NotAllowedNow,
        TransactionInvalid,
        TransactionExpired,
        TransactionRejected,
        IdempotencyConflict,
        AuthorityUnavailable,
        SignInRefused,
    )
}


async def problem_of(context: Context, refusal: Refusal) -> Problem:
    """The Problem that `refusal` names. Raises KeyError for a name that the contract does not have."""
    fields: dict[str, Any] = {}
    match refusal.problem:
        case "InvalidInput":
            fields = {"field": refusal.field}
        case "ContentMismatch":
            fields = {"expected": refusal.expected, "actual": refusal.actual}
        case "StakeTooLow":
            fields = {"minimum": await _minimum(context, refusal.minimum)}
        case "TransactionRejected":
            fields = {"logs": list(refusal.logs), "program_error_code": refusal.program_error_code}
        case "AuthorityUnavailable":
            fields = {"authority": refusal.authority}
    return _PROBLEMS[refusal.problem](
        code=refusal.code, explanation=refusal.explanation, retryable=refusal.retryable, **fields
    )


async def _minimum(context: Context, known: int | None) -> TokenAmount:
    """The least stake: the one that the refusal knows, else the protocol's. Raises AuthorityUnavailableError."""
    token = await context.loaders.token()
    if known is None:
        protocol = await context.loaders.protocol()
        if protocol is None:
            raise AuthorityUnavailableError(Authority.SOLANA, "The program is not initialised on this chain.")
        known = protocol[0].minimum_stake
    return TokenAmount.of(known, token)
