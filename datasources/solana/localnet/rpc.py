"""JSON-RPC 2.0 over the method tables: single calls, batches, notifications, and every error in its wire form."""

from __future__ import annotations

import sys
import traceback

import orjson

from datasources.solana.localnet import rpc_accounts, rpc_cluster, rpc_history, rpc_transactions
from datasources.solana.localnet.errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    PARSE_ERROR,
    RpcError,
    invalid_params,
    method_not_found,
)
from datasources.solana.localnet.ledger import Ledger
from datasources.solana.localnet.method import Method
from datasources.solana.localnet.model import Json
from datasources.solana.localnet.params import Params

OWN_PREFIX = "chorale_"  # methods that Solana lacks also take their parameters by name

METHODS: dict[str, Method] = {
    **rpc_cluster.METHODS,
    **rpc_accounts.METHODS,
    **rpc_transactions.METHODS,
    **rpc_history.METHODS,
}


def answer(ledger: Ledger, body: bytes, *, from_page: bool = False) -> bytes:
    """The response to a request body; empty where nothing is to be said (notifications only).

    Methods that Solana lacks steer the chain: a request `from_page` of a browser does not find them.
    """
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(error_response(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list) and request:
        responses = [response for each in request if (response := _answer_one(ledger, each, from_page)) is not None]
        return orjson.dumps(responses) if responses else b""
    response = _answer_one(ledger, request, from_page)
    return b"" if response is None else orjson.dumps(response)


def parse_call(request: Json) -> tuple[Json, str, Params]:
    """Id, method and parameters of one call; the id is None for a notification. Raises RpcError."""
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        raise RpcError(INVALID_REQUEST, "Invalid request")
    given = request.get("params")
    if isinstance(given, dict) and request["method"].startswith(OWN_PREFIX):
        given = [given]
    if given is not None and not isinstance(given, list):
        raise invalid_params("`params` should be an array")
    return request.get("id"), request["method"], Params(given or [])


def result_response(call_id: Json, result: Json) -> Json:
    """A call's success."""
    return {"jsonrpc": "2.0", "result": result, "id": call_id}


def error_response(call_id: Json, error: RpcError) -> Json:
    """A call's failure."""
    return {"jsonrpc": "2.0", "error": error.to_wire(), "id": call_id}


def internal_error(call: str) -> RpcError:
    """For an exception nobody foresaw: the trace goes to the log, the caller learns that it is not their fault."""
    sys.stderr.write(f"{call} failed:\n{traceback.format_exc()}")
    return RpcError(INTERNAL_ERROR, "Internal error")


def _answer_one(ledger: Ledger, request: Json, from_page: bool) -> Json | None:
    call_id = request.get("id") if isinstance(request, dict) else None
    silent = isinstance(request, dict) and "method" in request and "id" not in request
    try:
        call_id, name, params = parse_call(request)
        method = METHODS.get(name)
        if method is None or (from_page and name.startswith(OWN_PREFIX)):
            raise method_not_found()
        response = result_response(call_id, method(ledger, params))
    except RpcError as error:
        response = error_response(call_id, error)
    except Exception:  # noqa: BLE001 -- one odd call must not take the chain down
        response = error_response(call_id, internal_error(str(request.get("method"))))
    return None if silent else response
