"""A finalized read takes the place of a thread's rows, only while they are those that were found; whoever has read what
is gone hears of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chorale.domain.accounts import MessageAccount
from chorale.domain.approval import MessageStatus
from chorale.domain.errors import IndexDivergedError
from chorale.domain.events import EventBatch, EventKind, EventPosition, NewEvent
from chorale.domain.paging import PageRequest
from chorale.domain.projection import Projection, ThreadCorrection, ThreadProgress
from chorale.domain.treasury import ProtocolProjection
from datasources.index import SqliteIndex
from tests.contract.index import samples

FIRST = PageRequest(first=10)
PUBLISHED = MessageStatus.PUBLISHED


def post(number: int, sequence: int) -> MessageAccount:
    return samples.message(number, status=PUBLISHED, sequence=sequence, leaf_index=number)


def whole(*messages: MessageAccount, sequence: int, slot: int = 99, members: tuple[str, ...] = ("ana",)) -> Projection:
    """A thread of one name with these posts, and an event for each of its sequences."""
    published = [message.content_hash for message in messages]
    thread = samples.thread("t", sequence=sequence, members=members, published=published)
    events = tuple(samples.event(thread, number) for number in range(1, sequence + 1))
    return Projection(thread, slot, messages, events, replace=True)


async def read(index: SqliteIndex, place: EventPosition, limit: int = 50) -> EventBatch:
    return await index.events_after(place.thread_id, place, limit)


def start(index: SqliteIndex, thread_id: str) -> EventPosition:
    return EventPosition(index.log_id, 0, thread_id, 0, 0)


async def test_rows_get_older_only_where_they_are_the_ones_found(index: SqliteIndex) -> None:
    """At another sequence nothing changes; at that one everything is the finalized read's."""
    first, second, third = post(0, 2), post(1, 3), post(2, 4)
    ahead = whole(first, second, third, sequence=4, members=("ana", "ben"))
    await index.apply(ahead)
    final = whole(first, replace(post(1, 3), author="cy"), sequence=3, slot=120)
    thread_id = final.thread.thread_id
    for found in (3, 5):
        assert await index.correct(ThreadCorrection(thread_id, found, 2, True, final)) is None
        assert (await index.progress(thread_id)).sequence == 4
    lost = await index.correct(ThreadCorrection(thread_id, 4, 2, True, final))
    assert lost is not None and set(lost) == {second.content_hash, third.content_hash}
    assert await index.progress(thread_id) == ThreadProgress(3, 120, 2, "signature 3")
    assert await index.thread_of(third.content_hash) is None
    assert await index.recomputed_root(thread_id, 2) == final.thread.content_root
    assert await index.co_authored("ben", 9) == []
    assert [row.author for row in (await index.kept_messages([m.content_hash for m in final.messages])).values()] == [
        "ana",
        "cy",
    ]


async def test_a_reader_of_what_is_gone_goes_on_at_the_gap(index: SqliteIndex) -> None:
    """One who has read the lost stretch, one who has not, and one who comes later hear the Gap once, and then the
    same."""
    first, lost, other = post(0, 2), post(1, 3), samples.message("o", status=PUBLISHED, sequence=3, leaf_index=1)
    ahead = whole(first, lost, sequence=5)
    await index.apply(ahead)
    thread_id = ahead.thread.thread_id
    at_end = await index.latest(thread_id)
    batch = await read(index, start(index, thread_id), limit=2)
    assert [event.sequence for event in batch.events] == [1, 2]
    behind = batch.position
    final = whole(first, other, sequence=3)
    await index.correct(ThreadCorrection(thread_id, 5, 2, True, final))

    for place in (at_end, behind):
        batch = await read(index, place)
        told = [(event.kind, event.sequence, event.detail) for event in batch.events]
        assert told[-1] == (EventKind.GAP, 3, "CHAIN_RESET")
        assert [kind for kind, _, _ in told].count(EventKind.GAP) == 1
        assert batch.position == await index.latest(thread_id)
        assert (await read(index, batch.position)).events == ()
    # What comes on the branch that stayed reaches everybody, at sequences that the lost one had too.
    later = samples.thread("t", sequence=4, published=[first.content_hash, other.content_hash])
    await index.apply(Projection(later, 130, (), (samples.event(later, 4),)))
    for place in (batch.position, at_end):
        assert [event.sequence for event in (await read(index, place)).events][-1] == 4
    assert [event.sequence for event in (await read(index, batch.position)).events] == [4]


async def test_events_that_are_not_lost_come_again_without_a_gap(index: SqliteIndex) -> None:
    """A thread that moved on while it was finalized is read again from there; what the server said stays said."""
    first = post(0, 2)
    ahead = whole(first, sequence=6)
    await index.apply(ahead)
    thread_id = ahead.thread.thread_id
    await index.append(samples.own_event(ahead.thread, "verified"))
    at_end = await index.latest(thread_id)
    final = whole(first, sequence=4)
    assert await index.correct(ThreadCorrection(thread_id, 6, 4, False, final)) == []
    assert (await read(index, at_end)).events == ()
    again = samples.thread("t", sequence=6, published=[first.content_hash])
    await index.apply(Projection(again, 130, (), tuple(samples.event(again, number) for number in (5, 6))))
    assert (await read(index, at_end)).events == ()
    kinds = [event.kind for event in (await read(index, start(index, thread_id))).events]
    assert kinds == [EventKind.VOTE_CAST] * 6 + [EventKind.UPDATE_VERIFIED]


async def test_a_thread_that_the_chain_has_not_is_gone(index: SqliteIndex) -> None:
    """Its staged messages stay listed for their authors."""
    ahead = whole(post(0, 2), sequence=2)
    await index.apply(ahead)
    thread_id = ahead.thread.thread_id
    staged = samples.staged("s", thread_id, "ben")
    await index.stage([staged])
    assert await index.correct(ThreadCorrection(thread_id, 2, 0, True, None)) == [ahead.messages[0].content_hash]
    assert await index.thread_sequence(thread_id) == 0
    assert (await index.threads(FIRST)).rows == () and await index.co_authored("ana", 9) == []
    assert await index.thread_of(staged.key.hash) == (thread_id, MessageStatus.STAGED)
    await index.apply(ahead)  # and it may come back
    assert await index.thread_sequence(thread_id) == 2


async def test_a_read_that_does_not_fit_itself_changes_nothing(index: SqliteIndex) -> None:
    ahead = whole(post(0, 2), post(1, 3), sequence=3)
    await index.apply(ahead)
    torn = replace(whole(post(0, 2), sequence=2), messages=())
    with pytest.raises(IndexDivergedError):
        await index.correct(ThreadCorrection(torn.thread.thread_id, 3, 2, True, torn))
    assert (await index.progress(torn.thread.thread_id)).sequence == 3
    assert len((await index.messages(torn.thread.thread_id, FIRST, viewer=None)).rows) == 2


async def test_lost_sweeps_leave_the_treasurys_sums(index: SqliteIndex) -> None:
    """Sums over flows hold what is in the log, to the unit, above 32 bits too."""
    thread = samples.thread("t", sequence=3)
    amounts = (2**33 + 7, 2**40 + 11)
    sweeps = tuple(
        NewEvent(EventKind.SWEPT, thread.thread_id, n + 1, 0, n, n, f"signature {n + 1}", amount=amount)
        for n, amount in enumerate(amounts)
    )
    await index.apply_protocol(ProtocolProjection(1, 0, 1))
    await index.apply(Projection(thread, 3, (), (*sweeps, samples.event(thread, 3))))
    assert (await index.treasury()).swept == sum(amounts)
    final = samples.thread("t", sequence=1)
    kept = Projection(final, 9, (), sweeps[:1], replace=True)
    await index.correct(ThreadCorrection(thread.thread_id, 3, 1, True, kept))
    assert (await index.treasury()).swept == amounts[0]


async def test_the_logs_signatures_are_listed_newest_first(index: SqliteIndex) -> None:
    """One line per transaction, with its slot, up to a sequence; what the server says has none."""
    ahead = whole(sequence=4)
    await index.apply(ahead)
    await index.append(samples.own_event(ahead.thread, "verified"))
    thread_id = ahead.thread.thread_id
    assert await index.log_signatures(thread_id, 3, 2) == [(3, "signature 3", 13), (2, "signature 2", 12)]
    assert await index.log_signatures("none", 3, 2) == []
