"""What is asked of the index of this replica."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from chorale.domain.approval import MessageStatus
from chorale.domain.content import (
    StoredContent,
)
from chorale.domain.events import EventBatch, EventPosition, LoggedEvent, NewEvent
from chorale.domain.kept import KeptMessage, KeptThread
from chorale.domain.paging import Page, PageRequest
from chorale.domain.projection import (
    ChainCursor,
    IndexCensus,
    ListedThread,
    LoggedTransaction,
    Projection,
    Settled,
    ThreadCorrection,
    ThreadProgress,
)
from chorale.domain.treasury import (
    ChangePage,
    FlowPage,
    ProtocolChange,
    ProtocolProjection,
    ProtocolTransaction,
    TreasuryTotals,
)


class IndexReader(Protocol):
    """The backend's own view in SQLite: everything that is listed, ordered or paged. Derived and rebuildable."""

    @property
    def log_id(self) -> str:
        """Identity of the event log; another after a rebuild."""

    @property
    def ended(self) -> str | None:
        """Why nothing is logged any more ("CHAIN_RESET": its chain was replaced); None while the log goes on."""

    async def thread_sequence(self, thread_id: str) -> int:
        """The sequence that this index has reached for a thread; 0 where it is unknown."""

    async def wait_for(self, thread_id: str, sequence: int, timeout: float) -> bool:
        """Wait until `thread_sequence` is at least `sequence`; False after `timeout` s."""

    async def thread_of(self, content_hash: str) -> tuple[str, MessageStatus] | None:
        """(thread_id, status) of an indexed message, staged ones included; None where it is unknown."""

    async def listed(self, thread_id: str, content_hash: str | None) -> ListedThread | None:
        """What the lists hold of a thread and one of its messages, read at one moment; None where the thread's account
        is not indexed."""

    async def thread_id_at(self, address: str) -> str | None:
        """thread_id of a Thread account's address."""

    async def threads(self, page: PageRequest, *, co_author: str | None = None) -> Page:
        """Threads by (activity_at, thread_id), newest activity first."""

    async def messages(
        self,
        thread_id: str,
        page: PageRequest,
        *,
        viewer: str | None,
        statuses: Sequence[MessageStatus] = (),
        up_to: int | None = None,
    ) -> Page:
        """A thread's visible messages, ascending by (submitted_sequence, content_hash), STAGED last.

        With `up_to` without those that came on chain at a later sequence. `Page.sequence` is the index's own in either
        case, read in the same transaction."""

    async def messages_of(self, author: str, page: PageRequest, *, viewer: str | None) -> Page:
        """A user's visible messages by (submitted_at, content_hash), newest first."""

    async def pending_approvals(self, voter: str, page: PageRequest, *, viewer: str | None, now: int) -> Page:
        """Open pending messages that await `voter`'s vote, by (expires_at, content_hash)."""

    async def claimable(self, wallet: str, page: PageRequest, *, viewer: str | None) -> Page:
        """Messages whose escrow owes `wallet` a share or a stake, by (decided_at, content_hash)."""

    async def escrow(self, thread_id: str, page: PageRequest, *, viewer: str | None) -> tuple[Page, int]:
        """A thread's visible messages that still owe something, by (decided_at, content_hash), and what all of them
        owe together in base units. `Page.sequence` is the index's own, read in the same transaction."""

    async def treasury(self) -> TreasuryTotals:
        """What is known of the treasury's flows, as sums of one moment."""

    async def treasury_flows(self, page: PageRequest) -> FlowPage:
        """What went into and out of the treasury, by (slot, id), newest first."""

    async def protocol_changes(self, page: PageRequest) -> ChangePage:
        """The protocol's parameters over time, by (sequence, signature), newest first."""

    async def wait_for_protocol(self, sequence: int, timeout: float) -> bool:
        """Wait until the index has reached that sequence of the protocol; False after `timeout` s."""

    async def co_authored(self, wallet: str, limit: int) -> Sequence[str]:
        """Ids of the threads that `wallet` co-authors, most recently active first."""

    async def merkle_path(self, thread_id: str, leaf_index: int, published_count: int) -> Sequence[str] | None:
        """20 sibling hashes of a leaf in the tree of the first `published_count` leaves; None where not reached."""

    async def latest(self, thread_id: str) -> EventPosition:
        """The end of a thread's log: what `eventCursor` carries."""

    async def events_after(self, thread_id: str, after: EventPosition | None, limit: int) -> EventBatch:
        """A thread's events after a place; after None: from now on (an empty batch at the end of the log)."""

    def wake(self, thread_id: str) -> AsyncIterator[None]:
        """Yields at once and then whenever the thread's log has grown (coalesced, never lost)."""


class Index(IndexReader, Protocol):
    """The index as its one writer, the projector, sees it. A call that returns has committed."""

    async def progress(self, thread_id: str) -> ThreadProgress:
        """How far the index has come with a thread."""

    async def settled(self, thread_id: str, signature: str) -> Settled | None:
        """Whether the log holds this transaction's events of the thread, and the place behind them; else None."""

    async def end(self, reason: str) -> None:
        """End the log for good: whoever listens is woken, and `ended` says why."""

    async def logged(self, since: int, limit: int) -> Sequence[LoggedTransaction]:
        """Transactions that the newest `limit` events of the log name, of slots above `since`; each once a thread."""

    async def wholly_logged(self, signatures: Sequence[str]) -> frozenset[str]:
        """Of these transactions, a hundred or so, those whose events are in the log of every thread they touched."""

    async def chain_cursor(self) -> ChainCursor | None:
        """Where to resume following the chain; None in a new index."""

    async def census(self) -> IndexCensus:
        """Counts, to compare with those of the content store."""

    async def thread_ids(self, after: str, limit: int) -> Sequence[str]:
        """Ids of indexed threads above `after` ("" to begin), ascending."""

    async def content_hashes(self, thread_id: str, after: str, limit: int) -> Sequence[str]:
        """Hashes of a thread's messages with an account above `after` ("" to begin), ascending."""

    async def hashes_after(self, after: str, limit: int) -> Sequence[str]:
        """Hashes of all messages above `after` ("" to begin), ascending, staged ones included."""

    async def kept_threads(self, thread_ids: Sequence[str]) -> Mapping[str, KeptThread]:
        """Rows of these threads, of one moment; those whose account is not indexed are left out."""

    async def kept_messages(self, content_hashes: Sequence[str]) -> Mapping[str, KeptMessage]:
        """Rows of these messages, of one moment, staged ones included; absent ones are left out."""

    async def count_messages(self, thread_id: str, up_to: int) -> int:
        """How many of a thread's messages came on chain at its sequence `up_to` or before."""

    async def recomputed_root(self, thread_id: str, count: int) -> str | None:
        """Root of the first `count` leaves of a thread's tree, every node recomputed from its children; None where one
        is absent or wrong."""

    async def apply(self, projection: Projection) -> EventPosition:
        """Rows, tree, events and chain cursor in one commit; then subscribers wake. Returns the end of the log.

        Nothing older overwrites: rows are guarded by their sequence, events by (thread, sequence, ordinal). Raises
        IndexDivergedError, having changed nothing, where the tree's root is not the account's `content_root`."""

    async def protocol_changes_at(self, sequences: Sequence[int]) -> tuple[ProtocolChange, ...]:
        """The changes of these sequences that are known, ascending."""

    async def protocol_transactions(self, since: int, limit: int) -> Sequence[ProtocolTransaction]:
        """What the protocol's changes and deposits of slots above `since` stand on, newest first."""

    async def protocol_sequences(self) -> frozenset[int]:
        """Sequences of the protocol whose changes are known."""

    async def apply_protocol(self, projection: ProtocolProjection) -> None:
        """What a look at the protocol has found, in one commit. Nothing that is there is overwritten."""

    async def log_signatures(self, thread_id: str, up_to: int, limit: int) -> Sequence[tuple[int, str, int]]:
        """(sequence, signature, slot) of a thread's newest transactions in the log up to a sequence, newest first."""

    async def append(self, event: NewEvent) -> LoggedEvent | None:
        """Log an event that the server makes itself; None where (kind, subject, occurrence) is there already.

        It takes its place behind all that is logged: the thread's indexed sequence and an ordinal of its own."""

    async def stage(self, staged: Sequence[StoredContent]) -> None:
        """List staged messages for their authors; those that have an account are left alone."""

    async def unstage(self, content_hashes: Sequence[str]) -> None:
        """Forget messages that are still STAGED."""

    async def advance(self, cursor: ChainCursor) -> None:
        """Set the chain cursor where no change of a thread carries it."""


class CorrectableIndex(Index, Protocol):
    """The index as `chorale.projection.corrections` alone sees it: what lowers or deletes."""

    async def correct(self, correction: ThreadCorrection) -> Sequence[str] | None:
        """Replace what the index holds of a thread by a finalized read, in one commit: the only way in which rows get
        older. Returns the hashes of messages whose rows had been above that read, or of the lost history; None, having
        changed nothing, where the thread's rows are not at the sequence `found` any more. Raises IndexDivergedError
        where the read does not fit itself."""

    async def forget_transactions(self, lost: Sequence[ProtocolTransaction]) -> None:
        """Drop the protocol's changes and deposits that are exactly of these transactions, with the progress from
        there on: the next look asks the chain again."""

    async def forget_change(self, change: ProtocolChange) -> None:
        """Drop parameters of the protocol that are exactly `change`, and the progress from there on: the next look asks
        the chain again."""
