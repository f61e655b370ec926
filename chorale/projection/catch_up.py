"""What was missed while nobody listened: transactions since the cursor, or a snapshot where that cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chorale.domain.accounts import ThreadAccount
from chorale.domain.chain import HistoryEntry
from chorale.domain.ports import Chain, IndexReader
from chorale.domain.projection import ChainCursor
from chorale.projection.thread_changes import accounts_in
from programs.accounts import THREADS

_PAGE = 1000
_OVERLAP = 64  # slots
_MOST = 10_000  # transactions that are replayed one by one; with more, a snapshot is cheaper


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The program's newest transaction, then a read of all its threads: ids of those that the index is behind with."""

    newest: HistoryEntry | None
    slot: int
    behind: tuple[str, ...]


async def missed(chain: Chain, cursor: ChainCursor) -> Sequence[HistoryEntry] | None:
    """The program's transactions since the cursor, oldest first; None where they are too many or history is gone.

    A stretch before the cursor is among them: nodes do not all tell one order, and may list a transaction after later
    ones were settled.
    """
    oldest = cursor.slot - _OVERLAP
    entries: list[HistoryEntry] = []
    before: str | None = None
    while len(entries) < _MOST:
        page = await chain.history(chain.program_id, before=before, limit=_PAGE)
        entries += [entry for entry in page if entry.slot >= oldest]
        if len(page) < _PAGE or page[-1].slot < oldest:
            met = any(entry.signature == cursor.signature for entry in entries)
            return entries[::-1] if met else None
        before = page[-1].signature
    return None


async def snapshot(chain: Chain, index: IndexReader) -> Snapshot:
    """The newest transaction first, so that what lands meanwhile is replayed rather than skipped."""
    newest = await chain.history(chain.program_id, limit=1)
    read = await chain.program_accounts(holding=[THREADS])
    threads = [account for account in accounts_in(read) if isinstance(account, ThreadAccount)]
    threads.sort(key=lambda thread: (thread.activity_at, thread.thread_id))
    behind = [thread.thread_id for thread in threads if await index.thread_sequence(thread.thread_id) < thread.sequence]
    return Snapshot(newest[0] if newest else None, read.slot, tuple(behind))
