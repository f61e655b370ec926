"""One GraphQL request, read from untrusted JSON. The same rules for HTTP bodies, URL queries and socket messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_JSON_DEPTH = 64


class BadRequestError(Exception):
    """The request is no GraphQL request; `status` is the HTTP status, `code` goes into the error's extensions."""

    def __init__(self, explanation: str, status: int = 400, code: str = "BAD_REQUEST") -> None:
        super().__init__(explanation)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Params:
    """What GraphQL over HTTP calls the request parameters."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None


def parse_json(text: bytes | str) -> Any:
    """JSON in UTF-8, at most MAX_JSON_DEPTH deep; BadRequestError otherwise."""
    try:
        value = orjson.loads(text)
    except ValueError as error:
        raise BadRequestError("This is not valid JSON in UTF-8.") from error
    level: list[Any] = [value]
    for _ in range(MAX_JSON_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return value
    raise BadRequestError(f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep.")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def read_params(value: object) -> Params:
    """The parameters in a decoded JSON object; BadRequestError names the first that is wrong."""
    if isinstance(value, list):
        raise BadRequestError("Batches are off: send one operation per request.")
    if not isinstance(value, dict):
        raise BadRequestError("A GraphQL request is a JSON object with a `query`.")
    query = value.get("query")
    if not isinstance(query, str) or not query.strip():
        raise BadRequestError("`query` must be a string that holds a GraphQL document.")
    operation_name = value.get("operationName")
    if not isinstance(operation_name, str | None):
        raise BadRequestError("`operationName` must be a string or null.")
    return Params(query, _map(value, "variables"), operation_name or None, _map(value, "extensions"))


def read_url_params(query: Mapping[str, str]) -> Params:
    """The parameters in a URL's query, where variables and extensions are JSON texts."""
    value: dict[str, object] = {name: query[name] for name in ("query", "operationName") if name in query}
    for name in ("variables", "extensions"):
        if query.get(name):
            value[name] = parse_json(query[name])
    return read_params(value)


def _map(value: Mapping[str, object], name: str) -> dict[str, Any] | None:
    found = value.get(name)
    if not isinstance(found, dict | None):
        raise BadRequestError(f"`{name}` must be an object or null.")
    return found
