"""An authority that answers from the past is told by its own answers: slots, stored texts, a heartbeat."""

from __future__ import annotations

from pathlib import Path

from chorale.domain.chain import AccountsRead
from chorale.domain.content import ContentKey, ContentKind, ContentState, FetchedContent
from datasources.cache.sessions import open_sessions
from datasources.guard.acknowledged import Acknowledged
from datasources.guard.heartbeat import Heartbeat
from datasources.guard.slots import SlotWatch, slot_in


class Now:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def _slots(clock: Now) -> SlotWatch:
    return SlotWatch(stall=10.0, behind=150, clock=clock)


def test_a_node_far_behind_what_was_seen_is_behind() -> None:
    """150 slots are the bound; any answer counts as seen."""
    slots = _slots(Now())
    slots.seen(1_000)
    assert slots.problem(850) == ""
    assert slots.problem(849) == "the node is at slot 849, 151 behind what has been seen"


def test_slots_that_stand_still_are_behind_until_they_move() -> None:
    """Ten seconds without a new slot."""
    clock = Now()
    slots = _slots(clock)
    assert slots.problem(5) == ""
    clock.seconds += 9.9
    assert slots.problem(5) == ""
    clock.seconds += 0.1
    assert slots.problem(5) == "slot 5 has not moved for 10 s"
    assert slots.problem(6) == ""


def test_one_absurd_answer_and_another_chain_are_forgotten() -> None:
    """What nobody has repeated within a minute was no slot of this chain."""
    clock = Now()
    slots = _slots(clock)
    slots.seen(10**9)
    assert slots.problem(100) != ""
    for number in range(1, 8):
        clock.seconds += 10
        problem = slots.problem(100 + number)
    assert problem == ""


def test_answers_that_carry_a_slot() -> None:
    """Reads of accounts do, numbers do not."""
    assert slot_in(AccountsRead(9, ())) == 9
    assert slot_in(9) is None


def _key(number: int) -> ContentKey:
    return ContentKey(ContentKind.MESSAGE, "t", f"{number:064x}")


def _fetched(*missing: int) -> dict[ContentKey, FetchedContent]:
    return {
        _key(number): FetchedContent(ContentState.MISSING if number in missing else ContentState.AVAILABLE)
        for number in range(4)
    }


def test_a_store_that_misses_most_of_what_it_took_is_behind() -> None:
    """One missing text is a conflict of its own; most of them together are a store in the past."""
    acknowledged = Acknowledged(patience=10.0, clock=Now())
    for number in range(4):
        acknowledged.stored(_key(number))
    assert acknowledged.problem(_fetched(1)) == ""
    assert acknowledged.problem(_fetched(1, 2)) == ""
    assert acknowledged.problem(_fetched(0, 1, 2)) == "3 of the last 4 texts that it stored are missing"
    assert acknowledged.problem(_fetched()) == ""


def test_what_stays_missing_is_lost_and_blocks_nothing() -> None:
    """After its patience the store counts as current again."""
    clock = Now()
    acknowledged = Acknowledged(patience=10.0, clock=clock)
    for number in range(4):
        acknowledged.stored(_key(number))
    assert acknowledged.problem(_fetched(0, 1, 2)) != ""
    clock.seconds += 10
    assert acknowledged.problem(_fetched(0, 1, 2)) == ""
    assert acknowledged.keys == (_key(3),)


def test_what_may_be_gone_is_not_missed() -> None:
    """Texts that were collected, and all but the newest eight."""
    acknowledged = Acknowledged(patience=10.0, clock=Now())
    for number in range(12):
        acknowledged.stored(_key(number))
    assert acknowledged.keys == tuple(_key(number) for number in range(4, 12))
    acknowledged.dropped([_key(4), _key(99)])
    assert _key(4) not in acknowledged.keys


async def test_a_heartbeat_that_goes_back_is_noticed_once(tmp_path: Path) -> None:
    """A store that was put back to an earlier state, or emptied."""
    async with open_sessions("memory:", tmp_path / "sessions.sqlite3") as sessions:
        heart = Heartbeat()
        assert [await heart.beat(sessions) for _ in range(3)] == ["", "", ""]
        await sessions.put(heart._key, b"1", 60.0)
        assert await heart.beat(sessions) == "it has lost what it had acknowledged"
        assert await heart.beat(sessions) == ""
        await sessions.delete(heart._key)
        assert await heart.beat(sessions) != ""
        assert await Heartbeat().beat(sessions) == ""
