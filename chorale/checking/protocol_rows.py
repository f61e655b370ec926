"""The protocol's rows against its account."""

from __future__ import annotations

from chorale.checking.reading import Reading
from chorale.checking.rows import Difference, difference
from chorale.domain.accounts import ProtocolAccount
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.paging import PageRequest

_SUBJECT = "Protocol"


async def check_protocol(reading: Reading) -> tuple[Conflict, ...]:
    """The conflict, if there is one, between the `Protocol` account and what the index tells of it."""
    slot, account = await reading.protocol()
    if account is None:
        return ()
    if (await reading.index.treasury()).sequence < account.sequence:
        await reading.projector.protocol.look()
        kept = (await reading.index.treasury()).sequence
        if kept < account.sequence:
            expected, found = f"sequence {account.sequence}", f"sequence {kept}"
            return (Conflict(ConflictCause.INDEX_BEHIND, _SUBJECT, "", expected, found, slot, account.sequence),)
    if await _difference(reading, account) is None:
        return ()
    await reading.finalized(slot)
    slot, account = await reading.protocol(Commitment.FINALIZED)
    found_again = None if account is None else await _difference(reading, account)
    if account is None or found_again is None:
        return ()
    return (Conflict(ConflictCause.INDEX_WRONG, _SUBJECT, "", *found_again, slot, account.sequence),)


async def _difference(reading: Reading, account: ProtocolAccount) -> Difference | None:
    page = await reading.index.protocol_changes(PageRequest(first=1))
    totals = await reading.index.treasury()
    if totals.sequence > account.sequence and page.page.sequence > account.sequence:
        later = await reading.protocol(Commitment.CONFIRMED)
        if later[1] is not None and later[1].sequence >= totals.sequence:
            return None  # it moved on meanwhile
        return f"sequence {account.sequence}", f"sequence {totals.sequence}"
    if totals.sequence != account.sequence or totals.changes < totals.sequence or not page.changes:
        return None  # with a gap in the history a later change may be unknown
    newest = page.changes[0]
    return difference(
        {
            "admin": (account.admin, newest.admin),
            "minimum_stake": (account.minimum_stake, newest.minimum_stake),
            "approval_window": (account.approval_window, newest.approval_window),
        }
    )
