"""Execution results as response bodies."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError
from strawberry.types import ExecutionResult

from chorale.domain.errors import ExecutionTimeoutError
from resolvers.transport.errors import formatted


def is_request_error(result: ExecutionResult) -> bool:
    """Whether nothing was executed: the document or its variables were refused, so `data` must be absent."""
    return result.data is None and bool(result.errors) and all(_is_refusal(error) for error in result.errors or ())


def _is_refusal(error: GraphQLError) -> bool:
    # A query that ran out of time was under way, though no field of it is to blame.
    return error.path is None and not isinstance(error.original_error, ExecutionTimeoutError)


def response_body(result: ExecutionResult) -> dict[str, Any]:
    """`data`, `errors` and `extensions`, each only where it belongs."""
    body: dict[str, Any] = {}
    if result.errors:
        body["errors"] = formatted(result.errors)
    if not is_request_error(result):
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    return body
