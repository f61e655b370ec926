"""How single values stand in account, instruction and event bytes: little-endian borsh, fixed sizes only."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from solders.pubkey import Pubkey

Value = str | int | bool

KEY_BYTES = 32
HASH_BYTES = 32


class WireError(ValueError):
    """The bytes are not what the program writes or reads."""


class Kind(StrEnum):
    """Type of a fixed-size value. KEY is base58 `str` in Python, HASH 64 hex digits, the rest `int` and `bool`."""

    U8 = "u8"
    U32 = "u32"
    U64 = "u64"
    I64 = "i64"
    BOOL = "bool"
    KEY = "key"
    HASH = "hash"


_FORMATS = {
    Kind.U8: "B",
    Kind.U32: "I",
    Kind.U64: "Q",
    Kind.I64: "q",
    Kind.BOOL: "B",
    Kind.KEY: "32s",
    Kind.HASH: "32s",
}


class Field(NamedTuple):
    """A named value of a record."""

    name: str
    kind: Kind


def fields(description: str) -> tuple[Field, ...]:
    """Fields from a description such as `"nonce:u64 title_hash:hash"`, in order."""
    pairs = (item.split(":") for item in description.split())
    return tuple(Field(name, Kind(kind)) for name, kind in pairs)


def key_bytes(key: str) -> bytes:
    """The 32 bytes of a base58 public key. Raises WireError where it is none."""
    try:
        return bytes(Pubkey.from_string(key))
    except ValueError as error:
        raise WireError(f"{key!r} is not a base58 public key of 32 bytes.") from error


@lru_cache(maxsize=65_536)
def key_text(raw: bytes) -> str:
    """Base58 of 32 bytes; kept, since the same authors and threads come again on every page."""
    return str(Pubkey(raw))


def hash_bytes(text: str) -> bytes:
    """The 32 bytes of a hash or salt. Raises WireError unless it is 64 lower-case hex digits."""
    if len(text) == 2 * HASH_BYTES and text == text.lower():
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        if len(raw) == HASH_BYTES:
            return raw
    raise WireError(f"{text!r} is not a hash of 64 lower-case hex digits.")


class Record:
    """A run of fixed-size values, compiled once."""

    def __init__(self, *members: Field) -> None:
        self.fields = members
        self._struct = struct.Struct("<" + "".join(_FORMATS[field.kind] for field in members))
        self.size = self._struct.size

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Bytes of `values`, one per field. Raises WireError where one does not fit its field."""
        raw = [_raw(field, values[field.name]) for field in self.fields]
        try:
            return self._struct.pack(*raw)
        except struct.error as error:
            raise WireError(f"A value is out of its range: {error}.") from error

    def decode(self, data: bytes, offset: int = 0) -> dict[str, Value]:
        """Values by field name. Raises WireError where `data` is too short or a boolean is over 1."""
        if len(data) - offset < self.size:
            raise WireError(f"{self.size} bytes are expected at {offset}, {max(len(data) - offset, 0)} are there.")
        raw = self._struct.unpack_from(data, offset)
        return {field.name: _value(field, item) for field, item in zip(self.fields, raw, strict=True)}


def _raw(field: Field, value: Value) -> bytes | int:
    if isinstance(value, str):
        if field.kind is Kind.KEY:
            return key_bytes(value)
        if field.kind is Kind.HASH:
            return hash_bytes(value)
    elif field.kind is Kind.BOOL:
        if isinstance(value, bool):
            return int(value)
    elif field.kind not in (Kind.KEY, Kind.HASH):
        return value
    raise WireError(f"{field.name} takes a {field.kind.value}, not {value!r}.")


def _value(field: Field, raw: bytes | int) -> Value:
    if isinstance(raw, bytes):
        return key_text(raw) if field.kind is Kind.KEY else raw.hex()
    if field.kind is Kind.BOOL:
        if raw > 1:
            raise WireError(f"{field.name} is a boolean and cannot be {raw}.")
        return bool(raw)
    return raw
