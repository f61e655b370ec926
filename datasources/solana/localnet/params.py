"""Reading JSON-RPC parameters: positions, configs with explicit nulls, and the checks every method shares."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey

from datasources.solana.localnet.errors import invalid_params, minimum_slot
from datasources.solana.localnet.model import Json

COMMITMENTS = ("processed", "confirmed", "finalized", "recent", "single", "singleGossip", "root", "max")


class Config:
    """A config object of one call. Absent and null are the same."""

    def __init__(self, fields: dict[str, Json]) -> None:
        self._fields = fields
        self.text("commitment")  # any will do: what has landed is final here

    def value(self, name: str) -> Json:
        """The field as it came."""
        return self._fields.get(name)

    def flag(self, name: str) -> bool:
        """A boolean, false where absent."""
        value = self.value(name)
        if value not in (None, True, False):
            raise invalid_params(f"Invalid params: {name} must be a boolean.")
        return bool(value)

    def number(self, name: str) -> int | None:
        """A whole number from 0."""
        value = self.value(name)
        if value is None:
            return None
        return as_number(value, name)

    def text(self, name: str) -> str | None:
        """A string."""
        value = self.value(name)
        if value is not None and not isinstance(value, str):
            raise invalid_params(f"Invalid params: {name} must be a string.")
        return value

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """One of `allowed`."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise invalid_params(
                f"Invalid params: unknown variant `{value}`, expected one of `{'`, `'.join(allowed)}`."
            )
        return value or default

    def require_slot(self, slot: int) -> None:
        """Raise RpcError (-32016) where `minContextSlot` lies ahead of `slot`."""
        if (self.number("minContextSlot") or 0) > slot:
            raise minimum_slot(slot)

    def data_slice(self) -> tuple[int, int] | None:
        """`dataSlice` as (offset, length)."""
        match self.value("dataSlice"):
            case None:
                return None
            case {"offset": int() as offset, "length": int() as length} if offset >= 0 and length >= 0:
                return offset, length
            case _:
                raise invalid_params("Invalid params: dataSlice takes offset and length.")


class Params:
    """The positional parameters of one call."""

    def __init__(self, values: Sequence[Json]) -> None:
        self._values = values

    def value(self, index: int) -> Json:
        """The parameter at `index`, None where absent."""
        return self._values[index] if index < len(self._values) else None

    def required(self, index: int) -> Json:
        """The parameter at `index`, which must be there."""
        value = self.value(index)
        if value is None:
            raise invalid_params(f"`params` should have at least {index + 1} argument(s)")
        return value

    def text(self, index: int) -> str:
        """A string at `index`."""
        value = self.required(index)
        if not isinstance(value, str):
            raise invalid_params(f"Invalid params: invalid type: {type(value).__name__}, expected a string.")
        return value

    def number(self, index: int) -> int:
        """A whole number from 0 at `index`."""
        return as_number(self.required(index), f"parameter {index + 1}")

    def key(self, index: int) -> Pubkey:
        """A public key at `index`."""
        return as_key(self.text(index))

    def keys(self, index: int, most: int) -> list[Pubkey]:
        """A list of at most `most` public keys at `index`."""
        values = self.required(index)
        if not isinstance(values, list):
            raise invalid_params("Invalid params: expected a list of public keys.")
        if len(values) > most:
            raise invalid_params(f"Too many inputs provided; max {most}")
        return [as_key(value) for value in values]

    def config(self, index: int) -> Config:
        """The config at `index`; older clients give the commitment or encoding alone, as a string."""
        value = self.value(index)
        if value is None:
            return Config({})
        if isinstance(value, str):
            return Config({"commitment" if value in COMMITMENTS else "encoding": value})
        if not isinstance(value, dict):
            raise invalid_params("Invalid params: expected a config object.")
        return Config(value)


def as_key(value: Json) -> Pubkey:
    """A public key from base58. Raises RpcError with Solana's own short texts."""
    if not isinstance(value, str):
        raise invalid_params("Invalid params: expected a public key in base58.")
    try:
        return Pubkey.from_string(value)
    except ValueError as error:
        raise invalid_params(f"Invalid param: {'WrongSize' if 'size' in str(error) else 'Invalid'}") from error


def as_number(value: Json, name: str) -> int:
    """A whole number from 0 below 2^64."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise invalid_params(f"Invalid params: {name} must be a whole number, not negative.")
    return value
