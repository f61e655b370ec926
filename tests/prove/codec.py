"""The model's values to the bytes that accounts have, by the layouts of `programs.interface`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from operator import attrgetter
from typing import Any

from chorale.domain.model.values import Message, Mint, Opaque, Protocol, Thread, TokenAccount, Value
from programs.interface import ACCOUNT_VERSION, ACCOUNTS, RESERVED_BYTES, TREE_DEPTH, AccountSpec
from programs.wire import Kind, Record

_FORMATS = {
    Kind.U8: "B",
    Kind.U32: "I",
    Kind.U64: "Q",
    Kind.I64: "q",
    Kind.BOOL: "B",
    Kind.KEY: "32s",
    Kind.HASH: "32s",
}
_TOKEN_ACCOUNT = struct.Struct("<32s32sQI32sBIQQI32s")
_MINT = struct.Struct("<I32sQBBI32s")
MINT_AUTHORITY = bytes([7]) * 32
FREEZE_AUTHORITY = bytes([8]) * 32


def _fixed(spec: AccountSpec) -> Callable[[Any], bytes]:
    """The part before the vector; fields of the layout and attributes of the model's values have the same names."""
    layout = "8sBB" + "".join(_FORMATS[field.kind] for field in spec.fixed)
    layout += f"{32 * TREE_DEPTH}s" if spec.frontier else ""
    form = struct.Struct(f"<{layout}{RESERVED_BYTES}x")
    values = attrgetter("bump", *(field.name for field in spec.fixed))

    def encode(value: Any) -> bytes:
        bump, *rest = values(value)
        frontier = [b"".join(value.frontier)] if spec.frontier else []
        return form.pack(spec.discriminator, ACCOUNT_VERSION, bump, *rest, *frontier)

    return encode


def _vector(item: Record) -> Callable[[Any, int], bytes]:
    """The vector: a count, the items, and zeroes for the room that is left."""
    form = struct.Struct("<" + "".join(_FORMATS[field.kind] for field in item.fields))

    def encode(items: Any, room: int) -> bytes:
        spare = bytes(form.size * (room - len(items)))
        return len(items).to_bytes(4, "little") + b"".join(form.pack(*entry) for entry in items) + spare

    return encode


def _item(name: str) -> Record:
    vector = ACCOUNTS[name].vector
    assert vector is not None
    return vector.item


_PROTOCOL, _THREAD, _MESSAGE = (_fixed(ACCOUNTS[name]) for name in ("Protocol", "Thread", "Message"))
_SEATS, _VOTES = (_vector(_item(name)) for name in ("Thread", "Message"))


def data_of(value: Value | None) -> bytes:
    """All bytes of an account that holds `value`."""
    match value:
        case None:
            return b""
        case Protocol():
            return _PROTOCOL(value)
        case Thread():
            return _THREAD(value) + _SEATS(value.seats, value.room)
        case Message():
            return _MESSAGE(value) + _VOTES(value.votes, value.room)
        case TokenAccount(mint, holder, amount, frozen):
            return _TOKEN_ACCOUNT.pack(mint, holder, amount, 0, bytes(32), 2 if frozen else 1, 0, 0, 0, 0, bytes(32))
        case Mint(supply, freezable):
            freeze = FREEZE_AUTHORITY if freezable else bytes(32)
            return _MINT.pack(1, MINT_AUTHORITY, supply, 6, 1, int(freezable), freeze)
        case Opaque(data):
            return data
