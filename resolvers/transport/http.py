"""GraphQL over HTTP: POST with a JSON body for queries and mutations, GET for queries."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import strawberry
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from chorale.domain.errors import AuthorityUnavailableError, UnauthenticatedError
from chorale.limits import Limits
from resolvers.transport.accept import GRAPHQL_JSON, JSON, is_json, response_type
from resolvers.transport.errors import VALIDATION_FAILED, bad_request
from resolvers.transport.gate import Gate, bearer
from resolvers.transport.params import BadRequestError, Params, parse_json, read_params, read_url_params
from resolvers.transport.results import is_request_error, response_body

_ALLOWED = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}
_BODY_TIMEOUT = 30.0
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept, Authorization", "X-Content-Type-Options": "nosniff"}


class GraphQLOverHTTP:
    """ASGI application of one path. Cookies are never read and POST takes JSON alone, so no other site can act for a
    visitor."""

    def __init__(self, schema: strawberry.Schema, gate: Gate, limits: Limits) -> None:
        self._schema = schema
        self._gate = gate
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        accepted = response_type(request.headers.get("accept"))
        try:
            response = await self._answer(request, accepted)
        except BadRequestError as error:
            response = _response(bad_request(error), error.status, accepted or JSON)
        except UnauthenticatedError as error:
            refusal = BadRequestError(str(error), 401, error.code)
            response = _response(bad_request(refusal), 401, accepted or JSON)
            response.headers["WWW-Authenticate"] = "Bearer"
        except AuthorityUnavailableError as error:
            refusal = BadRequestError(str(error), 503, error.code)
            response = _response(bad_request(refusal, authority=error.authority.value), 503, accepted or JSON)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request, accepted: str | None) -> Response:
        if request.method not in _ALLOWED:
            refusal = BadRequestError("GraphQL takes POST, or GET for queries.", 405, "METHOD_NOT_ALLOWED")
            response = _response(bad_request(refusal), 405, accepted or JSON)
            response.headers["Allow"] = "GET, POST"
            return response
        if accepted is None:
            raise BadRequestError(f"The answer can be {GRAPHQL_JSON} or {JSON}.", 406, "NOT_ACCEPTABLE")
        params = await self._params(request)
        token = bearer(request.headers.get("authorization"))
        viewer = await self._gate.admit(token) if token else None
        if token is not None and viewer is None:
            raise UnauthenticatedError(
                "The session has ended or the token is wrong: sign in again, or send no Authorization header."
            )
        try:
            result = await self._schema.execute(
                params.query,
                variable_values=params.variables,
                context_value=self._gate.context(viewer, token),
                operation_name=params.operation_name,
                operation_extensions=params.extensions,
                allowed_operation_types=_ALLOWED[request.method],
            )
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise BadRequestError("Subscriptions need the WebSocket of this path, graphql-transport-ws.") from error
            response = _response(
                bad_request(BadRequestError("Mutations need POST.", 405, "METHOD_NOT_ALLOWED")), 405, accepted
            )
            response.headers["Allow"] = "POST"
            return response
        except CannotGetOperationTypeError as error:
            unknown = BadRequestError(error.as_http_error_reason(), code=VALIDATION_FAILED)
            return _response(bad_request(unknown), 400 if accepted == GRAPHQL_JSON else 200, accepted)
        # Plain JSON keeps the older promise of 200 for every well-formed request.
        status = 400 if accepted == GRAPHQL_JSON and is_request_error(result) else 200
        return _response(response_body(result), status, accepted)

    async def _params(self, request: Request) -> Params:
        if request.method == "GET":
            return read_url_params(request.query_params)
        if not is_json(request.headers.get("content-type")):
            raise BadRequestError(f"Send the request as {JSON}.", 415, "UNSUPPORTED_MEDIA_TYPE")
        return read_params(parse_json(await self._body(request)))

    async def _body(self, request: Request) -> bytes:
        limit = self._limits.http_body_bytes
        too_large = BadRequestError(f"The body is larger than {limit} bytes.", 413, "PAYLOAD_TOO_LARGE")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise too_large
        except TimeoutError as error:
            raise BadRequestError("The body did not arrive in time.", 408, "REQUEST_TIMEOUT") from error
        return bytes(body)


def _response(body: dict[str, Any], status: int, media: str) -> Response:
    return Response(orjson.dumps(body), status, _HEADERS, media_type=f"{media}; charset=utf-8")
