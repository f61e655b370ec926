"""Refusals of the embedded chain: at start-up with their cure, and as JSON-RPC errors with Solana's codes and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chorale.domain.errors import StartupError

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
PREFLIGHT_FAILURE = -32002
BLOCK_NOT_AVAILABLE = -32004
UNSUPPORTED_VERSION = -32015
MINIMUM_SLOT = -32016


class RuntimeUnavailableError(StartupError):
    """The embedded chain needs solders.litesvm, which this platform's solders wheel does not carry."""

    def __init__(self) -> None:
        super().__init__(
            "The embedded chain needs solders.litesvm, which the solders wheel of this platform does not carry "
            "(Linux arm64, musl and Windows are such). Set CHORALE_CHAIN_URL=http://host:port to a Solana "
            "test validator or cluster instead."
        )


class PortInUseError(StartupError):
    """A port of the embedded chain is taken."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"Cannot listen on {host}:{port} ({reason}). The embedded chain needs CHORALE_CHAIN_RPC_PORT and the "
            "port after it: set CHORALE_CHAIN_RPC_PORT to another port, or 0 for a free one."
        )


class DataInUseError(StartupError):
    """Another embedded chain owns the data directory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"Another embedded chain runs on {folder}. Stop it, or set CHORALE_DATA to another data directory."
        )


class BrokenDataError(StartupError):
    """The data directory does not hold together; the message names what is missing or foreign."""

    def __init__(self, problem: str, folder: Path) -> None:
        super().__init__(
            f"{problem} Restore {folder} as it was, or delete it whole (CHORALE_DATA/localnet) to begin a new chain."
        )


class ProgramError(StartupError):
    """The program could not be loaded or set up."""


class RpcError(Exception):
    """A JSON-RPC error as it goes over the wire."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_wire(self) -> dict[str, Any]:
        """`{code, message, data?}`."""
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            wire["data"] = self.data
        return wire


def invalid_params(message: str) -> RpcError:
    """Parameters that cannot be used."""
    return RpcError(INVALID_PARAMS, message)


def method_not_found() -> RpcError:
    """No such method here."""
    return RpcError(METHOD_NOT_FOUND, "Method not found")


def block_not_available(slot: int) -> RpcError:
    """No block is there (yet)."""
    return RpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")


def minimum_slot(slot: int) -> RpcError:
    """`minContextSlot` lies ahead of `slot`."""
    return RpcError(MINIMUM_SLOT, "Minimum context slot has not been reached", {"contextSlot": slot})


def unsupported_version(version: int) -> RpcError:
    """The caller did not ask for this transaction version."""
    return RpcError(
        UNSUPPORTED_VERSION,
        f"Transaction version ({version}) is not supported by the requesting client. Please try the request again "
        f'with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
    )
