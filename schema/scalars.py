"""Scalars: strict on the way in, exact on the way out. What is malformed names the value and the cure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NewType, TypeVar

import strawberry
from solders.pubkey import Pubkey as SolanaKey
from solders.signature import Signature as SolanaSignature
from strawberry.types.scalar import ScalarDefinition

from chorale.domain.errors import InvalidInputError

Pubkey = NewType("Pubkey", str)
Signature = NewType("Signature", str)
Hash = NewType("Hash", str)
Base64 = NewType("Base64", bytes)
U64 = NewType("U64", int)
Slot = NewType("Slot", int)
Version = NewType("Version", int)
Cursor = NewType("Cursor", str)
DateTime = NewType("DateTime", int)

T = TypeVar("T")

_U64_MAX = 2**64 - 1
_SAFE_MAX = 2**53
_BASE58 = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,88}")
_HASH = re.compile(r"[0-9a-f]{64}")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,19}")
_CURSOR_CHARS = 2_000
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def parse_pubkey(value: object) -> Pubkey:
    text = _text(value, "Pubkey", "the base58 text of a public key")
    if _BASE58.fullmatch(text):
        try:
            if str(SolanaKey.from_string(text)) == text:
                return Pubkey(text)
        except ValueError:
            pass
    raise _refused("Pubkey", text, "Send a public key of 32 bytes in base58, as wallets show it.")


def _parse_signature(value: object) -> Signature:
    text = _text(value, "Signature", "the base58 text of a signature")
    if _BASE58.fullmatch(text):
        try:
            if str(SolanaSignature.from_string(text)) == text:
                return Signature(text)
        except ValueError:
            pass
    raise _refused("Signature", text, "Send a signature of 64 bytes in base58, as Solana's RPC returns it.")


def parse_hash(value: object) -> Hash:
    text = _text(value, "Hash", "64 hex digits")
    if not _HASH.fullmatch(text):
        raise _refused("Hash", text, "Send exactly 64 lower-case hex digits, without 0x.")
    return Hash(text)


def _parse_base64(value: object) -> Base64:
    text = _text(value, "Base64", "base64 text")
    try:
        return Base64(base64.b64decode(text.encode("ascii"), validate=True))
    except (binascii.Error, UnicodeEncodeError):
        raise _refused("Base64", text, "Send standard base64 with padding and no line breaks.") from None


def _parse_u64(value: object) -> U64:
    text = _text(value, "U64", 'a decimal string such as "1000"')
    if not _DECIMAL.fullmatch(text) or int(text) > _U64_MAX:
        raise _refused("U64", text, f'Send a whole number from "0" to "{_U64_MAX}" as a decimal string.')
    return U64(int(text))


def _parse_cursor(value: object) -> Cursor:
    text = _text(value, "Cursor", "a cursor")
    if not text or len(text) > _CURSOR_CHARS:
        raise _refused("Cursor", text, "Send a cursor that this server returned, unchanged.")
    return Cursor(text)


def _parse_datetime(value: object) -> DateTime:
    text = _text(value, "DateTime", "RFC 3339 text")
    if _RFC3339.fullmatch(text):
        try:
            return DateTime(int(datetime.fromisoformat(text.upper()).timestamp()))
        except (ValueError, OverflowError):
            pass
    raise _refused("DateTime", text, "Send RFC 3339 with an offset, such as 2026-01-31T12:00:00Z.")


def _safe(name: str) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if type(value) is not int or not 0 <= value <= _SAFE_MAX:
            raise _refused(name, value, "Send a whole JSON number from 0 to 2^53.")
        return value

    return parse


def _text(value: object, name: str, wanted: str) -> str:
    if not isinstance(value, str):
        raise _refused(name, value, f"Send {wanted} as a string.")
    return value


def _refused(name: str, value: object, cure: str) -> InvalidInputError:
    shown = repr(value)
    if len(shown) > 100:
        shown = shown[:97] + "…"
    return InvalidInputError(f"{shown} is not a {name}. {cure}")


@lru_cache(maxsize=4_096)
def rfc3339(unix_time: int) -> str:
    """Unix seconds as RFC 3339 in UTC."""
    return datetime.fromtimestamp(unix_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(value: T) -> T:
    return value


def _encode_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _scalar(
    name: str, description: str, parse: Callable[[object], Any], serialize: Callable[[Any], Any] = _plain
) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=description, parse_value=parse, serialize=serialize)


SCALAR_MAP: dict[object, ScalarDefinition] = {
    Pubkey: _scalar("Pubkey", "A Solana public key: 32 bytes in base58.", parse_pubkey),
    Signature: _scalar(
        "Signature",
        "An Ed25519 signature: 64 bytes in base58. The first one of a transaction is the transaction's id.",
        _parse_signature,
    ),
    Hash: _scalar("Hash", "A SHA-256 hash, or 32 random bytes used as a salt: 64 lower-case hex digits.", parse_hash),
    Base64: _scalar("Base64", "Bytes in standard base64 with padding.", _parse_base64, _encode_base64),
    U64: _scalar(
        "U64",
        "An unsigned 64-bit whole number, exact: a decimal string, since JSON numbers lose digits beyond 2^53.",
        _parse_u64,
        str,
    ),
    Slot: _scalar("Slot", "A slot of the chain, a JSON number up to 2^53.", _safe("Slot")),
    Version: _scalar(
        "Version",
        "How often a thread has changed on chain, a JSON number up to 2^53. Grows by one with every change.",
        _safe("Version"),
    ),
    Cursor: _scalar(
        "Cursor",
        "A place in a list or in a log of events. Opaque; stays valid across restarts and replicas.",
        _parse_cursor,
    ),
    DateTime: _scalar("DateTime", "A moment in UTC, written as RFC 3339.", _parse_datetime, rfc3339),
}
