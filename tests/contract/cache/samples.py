"""Accounts as reads show them."""

from __future__ import annotations

import time

from chorale.domain.caching import CachedAccount
from chorale.domain.chain import AccountData


def entry(address: str, slot: int, version: int, *, read_at: float | None = None) -> CachedAccount:
    """An account whose bytes tell its version."""
    account = AccountData(address, "owner", 2**63 + version, b"\x00\xff" + str(version).encode())
    return CachedAccount(account, slot, version, time.time() if read_at is None else read_at)
