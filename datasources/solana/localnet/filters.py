"""Filters of getProgramAccounts and programSubscribe: dataSize and memcmp, at most four."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Sequence
from dataclasses import dataclass

from datasources.solana.localnet.encoding import base58_bytes
from datasources.solana.localnet.errors import invalid_params
from datasources.solana.localnet.model import Json

_MAX_FILTERS = 4
_MAX_MEMCMP_BYTES = 128


@dataclass(frozen=True, slots=True)
class DataSize:
    """Passes accounts of exactly `size` bytes."""

    size: int

    def matches(self, data: bytes) -> bool:
        """Whether `data` passes."""
        return len(data) == self.size


@dataclass(frozen=True, slots=True)
class Memcmp:
    """Passes accounts that hold `expected` at `offset`."""

    offset: int
    expected: bytes

    def matches(self, data: bytes) -> bool:
        """Whether `data` passes; an account that ends before the compared range does not."""
        return data[self.offset : self.offset + len(self.expected)] == self.expected and self.offset <= len(data)


Filter = DataSize | Memcmp


def parse_filters(value: Json) -> tuple[Filter, ...]:
    """Filters from a config's `filters`. Raises RpcError (invalid params)."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid_params("Invalid params: filters must be a list.")
    if len(value) > _MAX_FILTERS:
        raise invalid_params(f"Too many filters provided; max {_MAX_FILTERS}")
    return tuple(_parse(item) for item in value)


def matches_all(filters: Sequence[Filter], data: bytes) -> bool:
    """Whether `data` passes every filter."""
    return all(each.matches(data) for each in filters)


def _parse(item: Json) -> Filter:
    match item:
        case {"dataSize": int() as size} if size >= 0 and not isinstance(size, bool):
            return DataSize(size)
        case {"memcmp": {"offset": int() as offset, "bytes": given} as memcmp} if offset >= 0:
            expected = _bytes(given, memcmp.get("encoding"))
            if len(expected) > _MAX_MEMCMP_BYTES:
                raise invalid_params("Invalid param: encoded binary data should be less than 129 bytes")
            return Memcmp(offset, expected)
        case _:
            raise invalid_params(f"Invalid params: unknown filter {item}.")


def _bytes(given: Json, encoding: Json) -> bytes:
    try:
        if isinstance(given, list):
            return bytes(given)
        if isinstance(given, str) and encoding in (None, "base58", "binary"):
            return base58_bytes(given)
        if isinstance(given, str) and encoding == "base64":
            return a2b_base64(given, strict_mode=True)
    except (ValueError, TypeError, Base64Error) as error:
        raise invalid_params(f"Invalid param: unable to decode memcmp bytes: {error}") from error
    raise invalid_params("Invalid params: memcmp takes bytes in base58 or base64, or as a list.")
