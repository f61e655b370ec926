"""anchorpy's values and this client's accounts in one notation, so that tests can compare them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from solders.pubkey import Pubkey

from chorale.domain.accounts import StatusByte
from programs import coders
from programs.accounts import decode_account


def assert_decoded_alike(address: str, data: bytes) -> None:
    """Asserts that anchorpy finds in `data` every field that the fast decoder finds, with the same value."""
    ours = asdict(decode_account(address, data))
    theirs = coders.accounts_coder().decode(data)
    del ours["address"]
    if "status" in ours:
        ours["status"] = StatusByte[ours["status"].name].value
    for name, value in ours.items():
        assert plain(getattr(theirs, name)) == (list(value) if isinstance(value, tuple) else value), name
    assert theirs.version == 1
    assert bytes(theirs.reserved) == bytes(64)


def plain(value: Any) -> Any:
    """An anchorpy value in this client's notation: keys base58, 32-byte arrays hex, structs as dicts."""
    if isinstance(value, Pubkey):
        return str(value)
    if isinstance(value, list):
        if len(value) == 32 and all(isinstance(item, int) for item in value):
            return bytes(value).hex()
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value
