"""Writes are whole and guarded: nothing older overwrites, nothing is written twice, a tree that does not fit changes
nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chorale.domain.approval import MessageStatus
from chorale.domain.errors import IndexDivergedError
from chorale.domain.paging import PageRequest
from chorale.domain.projection import ChainCursor, IndexCensus, Projection, ThreadProgress
from datasources.index import SqliteIndex
from tests.contract.index import samples

FIRST = PageRequest(first=10)


async def test_an_older_change_changes_nothing(index: SqliteIndex) -> None:
    """Rows are guarded by their own sequence, whatever order changes come in."""
    newer = samples.message("m", status=MessageStatus.DENIED, sequence=5)
    older = samples.message("m", status=MessageStatus.PENDING, sequence=4)
    now = samples.thread("t", sequence=5, members=("ana", "ben"))
    await index.apply(Projection(now, 50, (newer,), (samples.event(now, 5),)))
    before = samples.thread("t", sequence=4, members=("cy",))
    await index.apply(Projection(before, 90, (older,), (samples.event(now, 5),)))
    assert await index.thread_of(newer.content_hash) == (now.thread_id, MessageStatus.DENIED)
    assert await index.progress(now.thread_id) == ThreadProgress(5, 50, 0, "signature 5")
    assert await index.co_authored("cy", 10) == []
    assert (await index.latest(now.thread_id)).position == 1


async def test_members_follow_the_account(index: SqliteIndex) -> None:
    """Who left loses their seat, who joined has one."""
    await index.apply(Projection(samples.thread("t", sequence=1, members=("ana", "ben")), 1))
    later = samples.thread("t", sequence=2, members=("ben", "cy"))
    await index.apply(Projection(later, 2))
    assert [await index.co_authored(key, 9) for key in ("ana", "ben", "cy")] == [
        [],
        [later.thread_id],
        [later.thread_id],
    ]


async def test_a_tree_that_does_not_fit_changes_nothing(index: SqliteIndex) -> None:
    """A missing leaf, or another root than the account's, refuses the whole change; a whole thread mends it."""
    messages = [samples.message(n, status=MessageStatus.PUBLISHED, sequence=n + 1, leaf_index=n) for n in range(3)]
    hashes = [message.content_hash for message in messages]
    thread = samples.thread("t", sequence=3, published=hashes)
    for wrong in (
        messages[1:],
        messages[:2],
        [replace(messages[0], leaf_index=1), replace(messages[1], leaf_index=0), messages[2]],
    ):
        cursor = ChainCursor("signature", 3)
        with pytest.raises(IndexDivergedError):
            await index.apply(Projection(thread, 3, tuple(wrong), (samples.event(thread, 3),), cursor))
        assert await index.thread_sequence(thread.thread_id) == 0
        assert await index.chain_cursor() is None
        assert await index.census() == IndexCensus(0, 0, 0)
    await index.apply(Projection(thread, 3, tuple(messages), replace=True))
    assert await index.merkle_path(thread.thread_id, 2, 3) is not None
    await index.apply(Projection(thread, 3, tuple(messages), replace=True))
    assert await index.census() == IndexCensus(1, 3, 0)


async def test_rows_events_and_cursor_are_one_commit(index: SqliteIndex) -> None:
    """The chain cursor moves with the change that carries it."""
    thread = samples.thread("t", sequence=1)
    cursor = ChainCursor("newest", 7)
    await index.apply(Projection(thread, 7, events=(samples.event(thread, 1),), cursor=cursor))
    assert await index.chain_cursor() == cursor
    settled = await index.settled(thread.thread_id, "signature 1")
    assert settled is not None
    assert (settled.sequence, settled.slot, settled.position.sequence) == (1, 7, 1)
    assert await index.settled(thread.thread_id, "signature 2") is None
    await index.advance(ChainCursor("later", 8))
    assert await index.chain_cursor() == ChainCursor("later", 8)


async def test_staged_rows_give_way_to_accounts(index: SqliteIndex) -> None:
    """Staging lists a message for its author alone; its account replaces the row, staging again does not."""
    thread = samples.thread("t", sequence=2)
    content = samples.staged("m", thread.thread_id, "ben")
    await index.stage([content])
    assert await index.thread_of(content.key.hash) == (thread.thread_id, MessageStatus.STAGED)
    assert (await index.threads(FIRST)).rows == ()
    assert len((await index.messages_of("ben", FIRST, viewer="ben")).rows) == 1
    assert (await index.messages_of("ben", FIRST, viewer="ana")).rows == ()
    account = samples.message("m", status=MessageStatus.PENDING, sequence=2, author="ben")
    await index.apply(Projection(thread, 2, (account,)))
    await index.stage([content])
    await index.unstage([content.key.hash])
    assert await index.thread_of(content.key.hash) == (thread.thread_id, MessageStatus.PENDING)
    other = samples.staged("n", thread.thread_id, "ben")
    await index.stage([other])
    await index.unstage([other.key.hash])
    assert await index.thread_of(other.key.hash) is None


async def test_what_is_indexed_can_be_walked(index: SqliteIndex) -> None:
    """Threads and messages are named in ascending order, in steps of any size."""
    for name in "abc":
        thread = samples.thread(name, sequence=2)
        messages = [samples.message((name, n), status=MessageStatus.PENDING, sequence=2) for n in range(3)]
        await index.apply(Projection(thread, 1, tuple(messages)))
    threads = await index.thread_ids("", 2)
    threads = [*threads, *await index.thread_ids(threads[-1], 2)]
    assert threads == sorted(samples.thread(name, sequence=1).thread_id for name in "abc")
    found = await index.content_hashes(threads[0], "", 2)
    assert len([*found, *await index.content_hashes(threads[0], found[-1], 9)]) == 3
