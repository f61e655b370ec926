"""JSON-RPC over one keep-alive HTTP client, singly or in batches. Only this package sees its errors."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import httpx
import orjson

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.updates import Authority

MIN_CONTEXT_SLOT_NOT_REACHED = -32016
NODE_UNHEALTHY = -32005
_BATCH = 100
_HEADERS = {"content-type": "application/json"}


P = ParamSpec("P")
T = TypeVar("T")


class RpcError(Exception):
    """An `error` answer of the node: code, message and data as sent."""

    def __init__(self, code: int, message: str, data: Any) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data = data


class Call(NamedTuple):
    """One request."""

    method: str
    params: list[Any]


def unavailable(detail: str) -> AuthorityUnavailableError:
    """Solana is away, and why."""
    return AuthorityUnavailableError(
        Authority.SOLANA, f"The Solana node could not be reached ({detail}). Try again shortly."
    )


@contextmanager
def well_formed() -> Iterator[None]:
    """Around the reading of an answer: what is not of the shape expected becomes AuthorityUnavailableError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, struct.error) as error:
        raise unavailable(f"an answer is malformed: {type(error).__name__}") from error


def reads(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A coroutine function that asks the node and reads the answer, with `well_formed` around it."""

    @wraps(method)
    async def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        with well_formed():
            return await method(*args, **kwargs)

    return reading


class Rpc:
    """Requests to one node. Raises AuthorityUnavailableError where it is away, RpcError where it answers an error."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self._ids = itertools.count(1)

    async def call(self, method: str, *params: Any) -> Any:
        """One `result`."""
        answer = await self._post({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)})
        return _result(answer)

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in the order of `calls`, 100 requests a batch; the first error answer raises."""
        results: list[Any] = []
        for start in range(0, len(calls), _BATCH):
            part = calls[start : start + _BATCH]
            if len(part) == 1:
                results.append(await self.call(part[0].method, *part[0].params))
                continue
            answers = await self._post(
                [
                    {"jsonrpc": "2.0", "id": index, "method": c.method, "params": c.params}
                    for index, c in enumerate(part)
                ]
            )
            if not isinstance(answers, list):
                _result(answers)  # a node that takes no batches answers one error object
                raise unavailable("it takes no JSON-RPC batches")
            by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
            results.extend(_result(by_id.get(index)) for index in range(len(part)))
        return results

    async def _post(self, payload: Any) -> Any:
        body = orjson.dumps(payload)
        if self._http.is_closed:
            raise unavailable("this server has closed its connection to it")
        try:
            response = await self._http.post(self._url, content=body, headers=_HEADERS)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            # The node closed a kept connection under the request; every method used here may be repeated.
            try:
                response = await self._http.post(self._url, content=body, headers=_HEADERS)
            except httpx.HTTPError as error:
                raise unavailable(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise unavailable(type(error).__name__) from error
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise unavailable(f"HTTP {response.status_code} without JSON") from error


def _result(answer: Any) -> Any:
    if not isinstance(answer, dict):
        raise unavailable("an answer is missing")
    error = answer.get("error")
    if isinstance(error, dict):
        raise RpcError(int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
    if "result" not in answer:
        raise unavailable("an answer has no result")
    return answer["result"]
