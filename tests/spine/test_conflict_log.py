"""The log of conflicts is bounded by kind and reads as one, newest first."""

from __future__ import annotations

from chorale.domain.conflict import Conflict, ConflictCause, ConflictKind, Settlement
from chorale.reconciliation.conflict_log import ConflictLog


def add(log: ConflictLog, cause: ConflictCause, thread_id: str = "1") -> int:
    conflict = Conflict(cause, f"Thread:{thread_id}", thread_id, "2", "3")
    return log.add(conflict, Settlement.OPEN, at=0.0, action="Reported.", seconds=0.0).number


def test_a_flood_of_one_kind_leaves_the_others() -> None:
    """Reports that anybody may send push out one another, never what was found in the authorities."""
    log = ConflictLog(3)
    kept = [add(log, ConflictCause.CONTENT_CORRUPT), add(log, ConflictCause.INDEX_WRONG)]
    flood = [add(log, ConflictCause.UI_AHEAD) for _ in range(10)]
    last = add(log, ConflictCause.CACHE_STALE)
    assert [record.number for record in log.before(None, 100)] == [last, *reversed(flood[-3:]), *reversed(kept)]


def test_a_flood_of_one_thread_leaves_the_others() -> None:
    """A wallet that names hashes without bytes pushes out its own records, and within them the oldest."""
    log = ConflictLog(6)
    kept = [add(log, ConflictCause.CONTENT_MISSING, thread_id) for thread_id in ("a", "b", "a")]
    flood = [add(log, ConflictCause.CONTENT_MISSING, "spam") for _ in range(50)]
    assert [record.number for record in log.before(None, 100)] == [*reversed(flood[-3:]), *reversed(kept)]
    late = add(log, ConflictCause.CONTENT_MISSING, "c")
    assert [record.number for record in log.before(None, 100)] == [late, *reversed(flood[-2:]), *reversed(kept)]


def test_pages_go_on_where_the_last_one_ended() -> None:
    """Each page holds what is numbered below the last one's end, of the kinds that are asked for."""
    log = ConflictLog(100)
    causes = [ConflictCause.UI_AHEAD, ConflictCause.CONTENT_MISSING, ConflictCause.CACHE_WRONG] * 4
    numbers = [add(log, cause) for cause in causes]
    seen: list[int] = []
    while page := log.before(seen[-1] if seen else None, 5):
        seen += [record.number for record in page]
    assert seen == numbers[::-1]
    of_two = log.before(10, 3, (ConflictKind.UI, ConflictKind.CACHE))
    assert [record.number for record in of_two] == [9, 7, 6]
