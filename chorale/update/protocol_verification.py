"""The fourth step for what concerns the protocol: account, treasury and index read back and compared."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from chorale.domain.conflict import ConflictCause
from chorale.domain.errors import StaleReadError
from chorale.domain.treasury import ChangeKind
from chorale.projection.protocol_lane import ProtocolLane, ReadBack
from chorale.update.verification import Entities, Verified

_PAUSE = 0.1


async def verify_protocol(lane: ProtocolLane, signature: str, min_slot: int, attempts: int) -> Verified:
    """Compare until chain and index are of one version. Raises StaleReadError where they do not meet in time."""
    for attempt in range(attempts + 1):
        if attempt:
            await asyncio.sleep(_PAUSE)
            await lane.look()
        seen = await lane.read_back(signature, min_slot)
        min_slot = max(min_slot, seen.slot)
        if _is_of_one_version(seen):
            return Verified(Entities(seen.slot, None, None), _conflict(seen), _remark(seen), ConflictCause.INDEX_WRONG)
    raise StaleReadError("The index has not reached the protocol in time.")


def _is_of_one_version(seen: ReadBack) -> bool:
    if seen.account is None or seen.account.sequence != seen.totals.sequence:
        return False
    return {change.sequence for change in seen.kept} == {change.sequence for change in seen.effect}


def _conflict(seen: ReadBack) -> str | None:
    """What differs: the transaction's effect from what is kept of it, or the account from the newest parameters."""
    for effect, kept in zip(seen.effect, seen.kept, strict=True):
        # A block's time comes from another call where a transaction was heard live; nodes may round it apart.
        if effect != replace(kept, occurred_at=effect.occurred_at):
            return f"change {effect.sequence} is kept as {kept}, the chain tells {effect}"
    account, newest = seen.account, seen.newest
    if account is None or newest is None or seen.totals.changes < seen.totals.sequence:
        return None  # with a gap in the history a later change may be unknown
    pairs = {
        "admin": (newest.admin, account.admin),
        "minimum_stake": (newest.minimum_stake, account.minimum_stake),
        "approval_window": (newest.approval_window, account.approval_window),
    }
    differing = [f"{name} is {kept}, the chain's {true}" for name, (kept, true) in pairs.items() if kept != true]
    return "; ".join(differing) or None


def _remark(seen: ReadBack) -> str | None:
    """Where the flows do not make the balance: a deposit that has just come, or history that is gone."""
    rest = seen.balance - seen.totals.explained
    if rest and any(change.kind is ChangeKind.WITHDRAWN for change in seen.effect):
        return f"the treasury differs by {rest} base units from what its known flows make"
    return None
