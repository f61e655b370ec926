"""A subscriber resumes behind its cursor without loss or repetition, in this log, a rebuilt one or
another replica's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from chorale.domain.errors import InvalidInputError
from chorale.domain.events import EventKind, EventPosition, NewEvent
from chorale.domain.projection import Projection
from datasources.index import SqliteIndex, open_index
from tests.contract.index import samples
from tests.patience import PATIENCE


async def log_to(index: SqliteIndex, sequence: int, *, start: int = 1, kind: EventKind = EventKind.VOTE_CAST) -> str:
    """Two events at each sequence from `start` to `sequence`."""
    thread = samples.thread("t", sequence=sequence)
    events = [samples.event(thread, s, o, kind) for s in range(start, sequence + 1) for o in (0, 1)]
    await index.apply(Projection(thread, sequence, events=tuple(events)))
    return thread.thread_id


def place(thread_id: str, sequence: int, ordinal: int, log_id: str = "another log") -> EventPosition:
    return EventPosition(log_id, 10**6, thread_id, sequence, ordinal)


async def test_pages_of_the_log_meet(index: SqliteIndex) -> None:
    """Batches follow one another exactly; the last one is empty and keeps its place."""
    thread_id = await log_to(index, 5)
    met, at = [], place(thread_id, 0, 0)
    while (batch := await index.events_after(thread_id, at, 3)).events:
        met += [(event.sequence, event.ordinal) for event in batch.events]
        at = batch.position
        assert batch.gap is None
    assert met == [(s, o) for s in range(1, 6) for o in (0, 1)]
    assert batch.position == at == await index.latest(thread_id)


async def test_without_a_cursor_events_start_now(index: SqliteIndex) -> None:
    """`after` None gives the end of the log, from which later events follow."""
    thread_id = await log_to(index, 2)
    batch = await index.events_after(thread_id, None, 10)
    assert batch.events == ()
    await log_to(index, 3, start=3)
    later = await index.events_after(thread_id, batch.position, 10)
    assert [(event.sequence, event.ordinal) for event in later.events] == [(3, 0), (3, 1)]


async def test_a_cursor_of_another_log_backfills_from_its_sequence_and_ordinal(index: SqliteIndex) -> None:
    """Position and log id of the cursor do not matter, only its place in the thread."""
    thread_id = await log_to(index, 3)
    batch = await index.events_after(thread_id, place(thread_id, 2, 0), 10)
    assert [(event.sequence, event.ordinal) for event in batch.events] == [(2, 1), (3, 0), (3, 1)]
    assert batch.position.log_id == index.log_id


async def test_a_cursor_ahead_of_the_log_waits(index: SqliteIndex) -> None:
    """Nothing is repeated while this log is behind the cursor, and nothing is missed once it has passed it."""
    thread_id = await log_to(index, 2)
    ahead = place(thread_id, 4, 0)
    for sequence in (3, 4):
        batch = await index.events_after(thread_id, ahead, 10)
        assert (batch.events, batch.position, batch.gap) == ((), ahead, None)
        await log_to(index, sequence, start=sequence)
    batch = await index.events_after(thread_id, ahead, 10)
    assert [(event.sequence, event.ordinal) for event in batch.events] == [(4, 1)]


async def test_history_that_is_gone_is_told(index: SqliteIndex) -> None:
    """A leap in sequences is a gap unless the log itself says so with an event."""
    thread_id = await log_to(index, 9, start=7)
    batch = await index.events_after(thread_id, place(thread_id, 3, 0), 10)
    assert batch.gap == "TRIMMED"
    assert len(batch.events) == 6
    assert (await index.events_after(thread_id, place(thread_id, 6, 9), 10)).gap is None
    thread = samples.thread("u", sequence=5)
    gap = NewEvent(EventKind.GAP, thread.thread_id, 4, 255, 1, 1, None, detail="TRIMMED")
    await index.apply(Projection(thread, 5, events=(gap, samples.event(thread, 5))))
    batch = await index.events_after(thread.thread_id, place(thread.thread_id, 1, 0), 10)
    assert [event.kind for event in batch.events] == [EventKind.GAP, EventKind.VOTE_CAST]
    assert batch.gap is None


async def test_a_cursor_of_another_thread_is_refused(index: SqliteIndex) -> None:
    """It is bad input, not an empty stream."""
    thread_id = await log_to(index, 1)
    with pytest.raises(InvalidInputError):
        await index.events_after(thread_id, place("another", 0, 0), 10)


async def test_events_that_nobody_is_served_are_passed_over(index: SqliteIndex) -> None:
    """Sweeps keep their place in the log, and batches go on behind them."""
    thread_id = await log_to(index, 6, kind=EventKind.SWEPT)
    await log_to(index, 7, start=7)
    batch = await index.events_after(thread_id, place(thread_id, 0, 0), 2)
    assert [(event.sequence, event.ordinal) for event in batch.events] == [(7, 0), (7, 1)]
    assert batch.gap is None


async def test_the_servers_own_events_come_once_and_last(index: SqliteIndex) -> None:
    """They are known by kind, subject and occurrence, and stand behind everything logged so far."""
    thread_id = await log_to(index, 2)
    thread = samples.thread("t", sequence=2)
    first = await index.append(samples.own_event(thread, "a"))
    second = await index.append(samples.own_event(thread, "b"))
    assert await index.append(samples.own_event(thread, "a")) is None
    again = await index.append(samples.own_event(thread, "a", occurrence=1))
    await log_to(index, 3, start=3)
    assert first is not None
    assert second is not None
    assert again is not None
    batch = await index.events_after(thread_id, place(thread_id, 2, 0), 10)
    assert list(batch.events[1:4]) == [first, second, again]
    assert [(event.sequence, event.ordinal) for event in batch.events] == [
        (2, 1), (2, 256), (2, 257), (2, 258), (3, 0), (3, 1),
    ]  # fmt: skip
    # Signatures of the server's events are not those of settled transactions.
    assert await index.settled(thread_id, "a") is None


async def test_events_are_kept_whole(index: SqliteIndex) -> None:
    """What was logged is what is read, field by field."""
    thread = samples.thread("t", sequence=1)
    new = NewEvent(EventKind.VOTE_CAST, thread.thread_id, 1, 0, 5, 6, "s", "hash", "ana", False, 2**62, "detail")
    await index.apply(Projection(thread, 1, events=(new,)))
    [event] = (await index.events_after(thread.thread_id, place(thread.thread_id, 0, 0), 9)).events
    assert {name: getattr(event, name) for name in event.__slots__ if name not in ("log_id", "position")} == {
        name: getattr(new, name) for name in new.__slots__ if name not in ("subject", "occurrence", "threads")
    }


async def test_wake_ups_coalesce_and_are_never_lost(index: SqliteIndex) -> None:
    """A reader that looks after each wake-up sees every event, whenever the log grows."""
    thread_id = samples.thread("t", sequence=1).thread_id
    met: list[int] = []

    async def read() -> None:
        at = place(thread_id, 0, 0)
        async for _ in index.wake(thread_id):
            batch = await index.events_after(thread_id, at, 100)
            met.extend(event.sequence for event in batch.events if event.ordinal == 0)
            at = batch.position
            if met and met[-1] == 20:
                return

    async with asyncio.timeout(PATIENCE):
        readers = [asyncio.create_task(read()) for _ in range(3)]
        for sequence in range(1, 21):
            await log_to(index, sequence, start=sequence)
        await asyncio.gather(*readers)
    assert sorted(met) == sorted(list(range(1, 21)) * 3)


async def test_waiting_for_a_sequence(index: SqliteIndex) -> None:
    """True as soon as it is reached, False where it is not in time."""
    thread_id = await log_to(index, 1)
    assert await index.wait_for(thread_id, 1, 0)
    assert not await index.wait_for(thread_id, 2, 0.01)
    waiting = asyncio.create_task(index.wait_for(thread_id, 2, PATIENCE))
    await asyncio.sleep(0)
    await log_to(index, 2, start=2)
    assert await waiting


async def test_closing_ends_all_waiting(tmp_path: Path) -> None:
    """Subscribers and waiters of a closing index go, instead of hanging."""
    async with open_index(tmp_path, samples.GENESIS, samples.PROGRAM, samples.MODEL) as index:
        wake = index.wake("thread")
        await anext(wake)
        rest = asyncio.create_task(anext(wake, "ended"))
        waiting = asyncio.create_task(index.wait_for("thread", 1, 3600))
        await asyncio.sleep(0)
        await index.apply(Projection(replace(samples.thread("t", sequence=1)), 1))
    async with asyncio.timeout(PATIENCE):
        assert await rest == "ended"
        assert not await waiting


async def test_a_transaction_is_wholly_logged_once_every_thread_that_it_touched_has_it(index: SqliteIndex) -> None:
    """Of two threads that one transaction touched the first may be committed and the second lost to a crash."""
    first, second = samples.thread("first", sequence=1), samples.thread("second", sequence=1)
    alone, both, cut = (replace(samples.event(first, 1), signature=name) for name in ("alone", "both", "cut"))
    events = (alone, replace(both, ordinal=1, threads=2), replace(cut, ordinal=2, threads=0))
    await index.apply(Projection(first, 5, events=events))
    asked = ["alone", "both", "cut", "unknown"]
    assert await index.wholly_logged(asked) == {"alone"}
    await index.apply(Projection(second, 6, events=(replace(samples.event(second, 1), signature="both", threads=2),)))
    assert await index.wholly_logged(asked) == {"alone", "both"}
    assert await index.wholly_logged([]) == frozenset()
