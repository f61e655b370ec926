"""Every amount of an unsigned 64-bit integer is kept: events give it back, and nothing but 0 is not claimable."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chorale.domain.approval import MessageStatus
from chorale.domain.events import EventPosition
from chorale.domain.paging import PageRequest
from chorale.domain.projection import Projection
from datasources.index import open_index
from tests.contract.index import samples

AMOUNTS = st.integers(0, 2**64 - 1)


@settings(max_examples=25, deadline=None)
@given(share=AMOUNTS, escrow=AMOUNTS, amount=AMOUNTS)
@example(share=2**63 - 1, escrow=2**63, amount=2**63)
@example(share=2**64 - 1, escrow=0, amount=2**64 - 1)
@example(share=0, escrow=2**64 - 1, amount=0)
async def test_amounts_of_the_whole_range_are_kept(share: int, escrow: int, amount: int) -> None:
    thread = samples.thread("t", sequence=2)
    denied = samples.message(
        "d", status=MessageStatus.DENIED, sequence=1, stake=share, share=share, escrow_remaining=share,
        votes=(samples.vote("ben", approve=False),),
    )  # fmt: skip
    cancelled = samples.message("c", status=MessageStatus.CANCELLED, sequence=2, stake=escrow, escrow_remaining=escrow)
    events = (replace(samples.event(thread, 1), amount=amount), samples.event(thread, 2))
    with tempfile.TemporaryDirectory() as folder:
        async with open_index(Path(folder), samples.GENESIS, samples.PROGRAM, samples.MODEL) as index:
            await index.apply(Projection(thread, 1, (denied, cancelled), events))
            logged = await index.events_after(thread.thread_id, EventPosition("", 0, thread.thread_id, 0, 0), 9)
            assert [event.amount for event in logged.events] == [amount, None]
            for wallet, message, owed in (("ben", denied, share), ("ana", cancelled, escrow)):
                page = await index.claimable(wallet, PageRequest(first=9), viewer=wallet)
                assert [row.id for row in page.rows] == ([message.content_hash] if owed else [])
