"""Transactions that derived state names and the chain's history does not have, or has in another slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from chorale.domain.ports import Chain

_MOST = 20_000  # transactions of one address that a comparison goes through
_PAGE = 1000


class Seen(Protocol):
    """A transaction, and the slot that it was seen in."""

    @property
    def signature(self) -> str:
        """Its id."""

    @property
    def slot(self) -> int:
        """Where derived state has it."""


S = TypeVar("S", bound=Seen)


async def misplaced(chain: Chain, seen: Sequence[S]) -> list[S]:
    """Those that the node does not know, or knows in another slot. A node may be behind: one answer proves nothing."""
    if not seen:
        return []
    signatures = list(dict.fromkeys(each.signature for each in seen))
    statuses = await chain.statuses(signatures)
    slots = {
        signature: None if status is None else status.slot
        for signature, status in zip(signatures, statuses, strict=True)
    }
    return [each for each in seen if slots[each.signature] != each.slot]


async def unlisted(chain: Chain, address: str, seen: Sequence[S]) -> list[S]:
    """Those that the history of `address` does not list in their slot, as far back as needed and as nodes keep it."""
    slots: dict[str, int] = {}
    found: list[S] = []
    waiting, before = sorted(seen, key=lambda each: each.slot), None
    while waiting and len(slots) < _MOST:
        page = await chain.history(address, before=before, limit=_PAGE)
        if not page:
            break  # nothing is kept that far back, which says nothing
        slots |= {entry.signature: entry.slot for entry in page}
        is_last = len(page) < _PAGE
        # What else came in a page's last slot may stand on the next page.
        reached = page[-1].slot + (0 if is_last else 1)
        part: list[S] = []
        while waiting and waiting[-1].slot >= reached:
            part.append(waiting.pop())
        missing = [each for each in part if slots.get(each.signature) != each.slot]
        found += missing
        if is_last or (part and not missing):
            break
        before = page[-1].signature
    return found
