"""Entries as they travel between here and Redis: fields of a script's arguments and of its answer."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, TypeAlias

from chorale.domain.caching import CachedAccount, Floor, Lookup
from chorale.domain.chain import AccountData

Argument: TypeAlias = str | bytes | int | float

_LENGTH = struct.Struct("<i")  # of an entry; -1 stands for none
_MISS = struct.Struct("<dB")  # its floor's slot, -1 where there is no floor, and whether it is claimed
_ENTRY = struct.Struct("<QQdQB")  # slot, version, time, lamports, length of the owner; owner and data follow


def floor_fields(floor: Floor) -> tuple[Argument, ...]:
    """Slot and version, -1 where that is not known."""
    return floor.slot, -1 if floor.version is None else floor.version


def entry_fields(entry: CachedAccount) -> tuple[Argument, ...]:
    """Slot, version and time for Redis to compare, and all of the entry."""
    account, owner = entry.account, entry.account.owner.encode()
    header = _ENTRY.pack(entry.slot, entry.version, entry.read_at, account.lamports, len(owner))
    return entry.slot, entry.version, entry.read_at, header + owner + account.data


def entry_of(address: str, packed: bytes) -> CachedAccount:
    """The entry in `packed`."""
    slot, version, read_at, lamports, length = _ENTRY.unpack_from(packed)
    end = _ENTRY.size + length
    account = AccountData(address, packed[_ENTRY.size : end].decode(), lamports, packed[end:])
    return CachedAccount(account, slot, version, read_at)


def lookup_of(addresses: Sequence[str], answer: Any, claim: str) -> Lookup:
    """What the script of a look-up answered about `addresses`."""
    era, packed = answer
    found: dict[str, CachedAccount] = {}
    claimed: set[str] = set()
    awaited: set[str] = set()
    slot, at = -1, 0
    for address in addresses:
        (length,) = _LENGTH.unpack_from(packed, at)
        at += _LENGTH.size
        if length >= 0:
            found[address] = entry_of(address, packed[at : at + length])
            at += length
            continue
        floor, mine = _MISS.unpack_from(packed, at)
        at += _MISS.size
        slot = max(slot, int(floor))
        (claimed if mine else awaited).add(address)
    return Lookup(
        found=found,
        claimed=frozenset(claimed),
        awaited=frozenset(awaited),
        slot=None if slot < 0 else slot,
        era=era.decode(),
        claim=claim,
    )
