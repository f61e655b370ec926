"""Points that nothing on chain refers to: staged bytes that were left behind, and facts of what never was."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chorale.checking.reading import Reading
from chorale.checking.rows import is_hash
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.content import ContentKind, PointName

_COLLECTED_WITHIN = 1800  # s after a lease ended, in which whoever collects staged bytes has had its turn


async def check_strays(reading: Reading, points: Sequence[PointName], now: float) -> tuple[Conflict, ...]:
    """Conflicts among these points; `now` in unix seconds."""
    doubtful = [
        point
        for point in points
        if (not point.staged or point.lease_until < now - _COLLECTED_WITHIN)
        and is_hash(point.key.hash)
        and is_hash(point.key.thread_id)
    ]
    rows = await reading.index.kept_messages(
        [point.key.hash for point in doubtful if point.key.kind is ContentKind.MESSAGE]
    )
    unknown = [point for point in doubtful if point.staged or not await _is_known(reading, point, rows.keys())]
    if not unknown:
        return ()
    slot = await reading.chain.slot()
    await reading.finalized(slot)
    owners = {point.key.hash: point.key.thread_id for point in unknown if point.key.kind is ContentKind.MESSAGE}
    titled = list({point.key.thread_id for point in unknown if point.key.kind is ContentKind.TITLE})
    slot, messages = await reading.messages(owners, Commitment.FINALIZED, slot)
    _, threads = await reading.threads(titled, Commitment.FINALIZED, slot)
    return tuple(
        _conflict(point, slot)
        for point in unknown
        if not (point.key.hash in messages if point.key.kind is ContentKind.MESSAGE else point.key.thread_id in threads)
    )


async def _is_known(reading: Reading, point: PointName, hashes: Collection[str]) -> bool:
    if point.key.kind is ContentKind.MESSAGE:
        return point.key.hash in hashes
    return await reading.index.thread_sequence(point.key.thread_id) > 0


def _conflict(point: PointName, slot: int) -> Conflict:
    title = point.key.kind is ContentKind.TITLE
    subject = f"Thread:{point.key.thread_id}" if title else f"Message:{point.key.hash}"
    if point.staged:
        cause, found = ConflictCause.CONTENT_ABANDONED, "bytes that are still staged"
    else:
        cause, found = ConflictCause.PAYLOAD_WRONG, f"a point of sequence {point.sequence}"
    return Conflict(cause, subject, point.key.thread_id, "no account", found, slot)
