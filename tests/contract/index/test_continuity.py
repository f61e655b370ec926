"""A change that goes on from rows which have been made older meanwhile is refused: it would leave a hole."""

from __future__ import annotations

import pytest

from chorale.domain.errors import IndexDivergedError
from chorale.domain.projection import Projection, ThreadCorrection
from datasources.index import SqliteIndex
from tests.contract.index import samples


def _at(sequence: int, since: int = 0) -> Projection:
    thread = samples.thread("t", sequence=sequence)
    events = tuple(samples.event(thread, number) for number in range(since + 1, sequence + 1))
    return Projection(thread, 99, (), events, replace=since == 0, since=since)


async def test_no_hole_above_a_correction(index: SqliteIndex) -> None:
    """Read after 4, committed once a correction has put the rows back to 3: nothing is written."""
    await index.apply(_at(4))
    change, thread_id = _at(5, since=4), _at(5).thread.thread_id
    assert await index.correct(ThreadCorrection(thread_id, 4, 3, False, _at(3))) is not None
    with pytest.raises(IndexDivergedError):
        await index.apply(change)
    assert (await index.progress(thread_id)).sequence == 3
    await index.apply(_at(5, since=3))
    assert (await index.progress(thread_id)).sequence == 5
