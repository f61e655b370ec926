"""What was missed while nobody listened: transactions since the cursor, or a snapshot where that cannot be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from chorale.domain.accounts import ThreadAccount
from chorale.domain.chain import HistoryEntry
from chorale.domain.ports import Chain, Index
from chorale.domain.projection import ChainCursor
from chorale.projection.thread_changes import accounts_in
from programs.accounts import THREADS

_PAGE = 1000
_TENTHS = 10
_OVERLAP = 64  # slots
_MOST = 10_000  # transactions that are replayed one by one; with more, a snapshot is cheaper


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The program's newest transaction, then a read of all its threads: ids of those that the index is behind with, and
    of those that it is ahead of or that are absent."""

    newest: HistoryEntry | None
    slot: int
    behind: tuple[str, ...]
    ahead: tuple[str, ...]


class Progress:
    """Counts the changes of one catch-up; `tell` hears at the first and at every further tenth of them."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell
        self._told = -1
        self.total = 0
        self.done = 0

    def more(self, changes: int) -> None:
        """So many more are to be done."""
        self.total += changes
        if changes:
            self._tell_tenth()

    def did(self, changes: int) -> None:
        """So many more are done."""
        self.done += changes
        self._tell_tenth()

    def _tell_tenth(self) -> None:
        tenth = _TENTHS * self.done // self.total if self.total else 0
        if tenth > self._told:
            self._told = tenth
            self._tell(self.done, self.total)


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


async def snapshot(chain: Chain, index: Index) -> Snapshot:
    """The newest transaction first, so that what lands meanwhile is replayed rather than skipped."""
    newest = await chain.history(chain.program_id, limit=1)
    read = await chain.program_accounts(holding=[THREADS])
    threads = [account for account in accounts_in(read) if isinstance(account, ThreadAccount)]
    threads.sort(key=lambda thread: (thread.activity_at, thread.thread_id))
    known = {thread.thread_id: await index.thread_sequence(thread.thread_id) for thread in threads}
    behind = [thread.thread_id for thread in threads if known[thread.thread_id] < thread.sequence]
    ahead = [thread.thread_id for thread in threads if known[thread.thread_id] > thread.sequence]
    ahead += [thread_id async for thread_id in _indexed(index) if thread_id not in known]
    return Snapshot(newest[0] if newest else None, read.slot, tuple(behind), tuple(ahead))


async def _indexed(index: Index) -> AsyncIterator[str]:
    last = ""
    while thread_ids := await index.thread_ids(last, _PAGE):
        for last in thread_ids:
            yield last
