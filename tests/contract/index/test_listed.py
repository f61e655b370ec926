"""What is told for comparing with accounts is what the lists hold, to the last field, and of one moment."""

from __future__ import annotations

from chorale.domain.approval import MessageStatus
from chorale.domain.projection import ListedMessage, ListedThread, Projection
from chorale.update.lists import compare_message, compare_thread
from datasources.index import SqliteIndex
from tests.contract.index.samples import message, staged, thread, vote


async def test_a_thread_and_a_message_as_applied(index: SqliteIndex) -> None:
    """Amounts up to the last bit of 64; what was applied compares as equal."""
    account = thread("t", sequence=7, members=("ana", "ben"))
    denied = message(
        "m", status=MessageStatus.DENIED, sequence=6, share=2**63, escrow_remaining=2**64 - 1,
        votes=(vote("ana", approve=False, claimed=True), vote("ben", approve=False)),
    )  # fmt: skip
    await index.apply(Projection(account, 3, (denied,)))
    listed = await index.listed(account.thread_id, denied.content_hash)
    assert listed == ListedThread(
        7,
        frozenset({("ana", 1), ("ben", 1)}),
        ListedMessage(
            sequence=6,
            status=MessageStatus.DENIED,
            decided_at=206,
            share=2**63,
            escrow_remaining=2**64 - 1,
            votes=frozenset({("ana", False, True), ("ben", False, False)}),
        ),
    )
    assert compare_message(denied, listed).conflict is None
    assert compare_thread(account, listed).conflict is None


async def test_what_is_not_indexed(index: SqliteIndex) -> None:
    """Nothing of a thread without an account; nothing of another thread's message; a staged one is listed as such."""
    account, other = thread("t", sequence=1), thread("other", sequence=1)
    assert await index.listed(account.thread_id, None) is None
    await index.stage([staged("s", account.thread_id, "ana")])
    assert await index.listed(account.thread_id, None) is None
    elsewhere = message("m", status=MessageStatus.PENDING, sequence=1)
    await index.apply(Projection(account, 1))
    await index.apply(Projection(other, 1, (elsewhere,)))
    listed = await index.listed(account.thread_id, elsewhere.content_hash)
    assert listed == ListedThread(1, frozenset({("ana", 1)}), None)
