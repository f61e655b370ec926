"""Messages of graphql-transport-ws that a client may send, read from untrusted text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.transport.params import BadRequestError, Params, parse_json, read_params

MAX_ID_CHARS = 128


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """Opens the connection; `payload` may carry `authorization`."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong."""

    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping, or is a heartbeat of its own."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Starts one operation of any kind."""

    id: str
    params: Params


@dataclass(frozen=True, slots=True)
class Complete:
    """Ends one operation."""

    id: str


ClientMessage = ConnectionInit | Ping | Pong | Subscribe | Complete


def read_message(text: str) -> ClientMessage:
    """One message; BadRequestError says what is wrong with it (the connection closes with 4400)."""
    message = parse_json(text)
    if not isinstance(message, dict):
        raise BadRequestError("A message is a JSON object.")
    match message.get("type"):
        case "connection_init":
            return ConnectionInit(_payload(message) or {})
        case "ping":
            return Ping(_payload(message))
        case "pong":
            _payload(message)
            return Pong()
        case "subscribe":
            return Subscribe(_id(message), read_params(message.get("payload")))
        case "complete":
            return Complete(_id(message))
        case kind:
            raise BadRequestError(f"There is no message type {str(kind)[:40]!r} for clients.")


def _payload(message: dict[str, Any]) -> dict[str, Any] | None:
    if "payload" not in message:
        return None
    payload = message["payload"]
    if not isinstance(payload, dict):
        raise BadRequestError("`payload` must be an object, or absent.")
    return payload


def _id(message: dict[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not name or len(name) > MAX_ID_CHARS:
        raise BadRequestError(f"`id` must be a string of 1 to {MAX_ID_CHARS} characters.")
    return name
