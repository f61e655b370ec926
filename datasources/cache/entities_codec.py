"""Entries as they travel between here and Redis: fields of a script's arguments and of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from chorale.domain.caching import CachedAccount, Floor, Lookup
from chorale.domain.chain import AccountData

Argument: TypeAlias = str | bytes | int | float

_MISS = 2  # fields in the answer for an address that is not served: its floor's slot, and whether it is claimed


def floor_fields(floor: Floor) -> tuple[Argument, ...]:
    """Slot and version, -1 where that is not known."""
    return floor.slot, -1 if floor.version is None else floor.version


def entry_fields(entry: CachedAccount) -> tuple[Argument, ...]:
    """Slot, version, time, owner, lamports and data."""
    account = entry.account
    return entry.slot, entry.version, entry.read_at, account.owner, account.lamports, account.data


def lookup_of(addresses: Sequence[str], answer: Any, claim: str) -> Lookup:
    """What the script of a look-up answered about `addresses`."""
    held = dict(zip(addresses, answer[1:], strict=True))
    found = {address: entry_of(address, one) for address, one in held.items() if len(one) > _MISS}
    missing = {address: one for address, one in held.items() if len(one) == _MISS}
    claimed = frozenset(address for address, (_, mine) in missing.items() if mine)
    slot = max((floor for floor, _ in missing.values()), default=-1)
    return Lookup(
        found=found,
        claimed=claimed,
        awaited=frozenset(missing) - claimed,
        slot=None if slot < 0 else slot,
        era=answer[0].decode(),
        claim=claim,
    )


def entry_of(address: str, fields: Sequence[bytes]) -> CachedAccount:
    """The same fields back."""
    slot, version, read_at, owner, lamports, data = fields
    account = AccountData(address, owner.decode(), int(lamports), data)
    return CachedAccount(account, int(slot), int(version), float(read_at))
