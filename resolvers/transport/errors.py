"""What of an error leaves the server: expected ones with their code, anything else masked under a reference."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from chorale.domain.errors import AuthorityUnavailableError, ChoraleError, InvalidInputError
from resolvers.transport.params import BadRequestError

log = logging.getLogger("chorale.graphql")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"


def formatted(errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
    """Errors as the response carries them, each with a stable `extensions.code`. Masked ones are logged here."""
    return [_formatted(error) for error in errors]


def bad_request(error: BadRequestError, **details: str) -> dict[str, Any]:
    """The response body of a request that never reached GraphQL."""
    return {"errors": [{"message": str(error), "extensions": {"code": error.code, **details}}]}


def _formatted(error: GraphQLError) -> dict[str, Any]:
    cause = _cause(error)
    if cause is None or isinstance(cause, ChoraleError):
        shown: dict[str, Any] = dict(error.formatted)
        shown["extensions"] = {"code": _code(error), **(error.extensions or {}), **_details(cause)}
        return shown
    if isinstance(cause, CannotGetOperationTypeError):
        return {"message": cause.as_http_error_reason(), "extensions": {"code": VALIDATION_FAILED}}
    if isinstance(cause, RecursionError):
        return {"message": "The document is nested too deeply.", "extensions": {"code": PARSE_FAILED}}
    if error.path is None and error.nodes:
        # A value of the caller's that did not parse: graphql-core's words about it are the caller's to read.
        return {**error.formatted, "extensions": {"code": VALIDATION_FAILED}}
    reference = secrets.token_hex(6)
    # The cause alone: a GraphQLError prints the document, which may hold a signature or a token.
    log.error("internal error %s at %s", reference, error.path, exc_info=cause)
    masked: dict[str, Any] = {
        "message": f"Something went wrong inside the server. The log knows it as {reference}.",
        "extensions": {"code": "INTERNAL", "reference": reference},
    }
    if error.path is not None:
        masked["path"] = error.path
    if error.locations:
        masked["locations"] = [location.formatted for location in error.locations]
    return masked


def _cause(error: GraphQLError) -> BaseException | None:
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _code(error: GraphQLError) -> str:
    if isinstance(error, GraphQLSyntaxError):
        return PARSE_FAILED
    return VALIDATION_FAILED if error.path is None else "BAD_REQUEST"


def _details(cause: BaseException | None) -> dict[str, Any]:
    if not isinstance(cause, ChoraleError):
        return {}
    details: dict[str, Any] = {"code": cause.code}
    if isinstance(cause, AuthorityUnavailableError):
        details["authority"] = cause.authority.value
    if isinstance(cause, InvalidInputError) and cause.field is not None:
        details["field"] = cause.field
    return details
