"""The ports: what the spine and the graph ask of the four systems. Adapters live in `datasources/`.

Every method raises `AuthorityUnavailableError` of its own authority where that one is away; no vendor's exception
passes a port.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Protocol

from chorale.domain.approval import MessageStatus
from chorale.domain.chain import (
    AccountsRead,
    Blockhash,
    Commitment,
    HistoryEntry,
    SignatureStatus,
    Simulation,
)
from chorale.domain.content import (
    Content,
    ContentCensus,
    ContentKey,
    ContentState,
    Correction,
    Embedding,
    FetchedContent,
    PointName,
    Promotion,
    SearchCriteria,
    SearchHit,
    StoredContent,
)
from chorale.domain.events import EventBatch, EventPosition, FeedItem, LoggedEvent, NewEvent, TransactionRecord
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
    BalanceChange,
    ChangePage,
    FlowPage,
    ProtocolChange,
    ProtocolProjection,
    ProtocolTransaction,
    TreasuryTotals,
)


class Chain(Protocol):
    """Solana by JSON-RPC. Reads default to `confirmed`; `min_context_slot` not reached in time raises
    MinimumSlotNotReachedError after bounded retries."""

    @property
    def program_id(self) -> str:
        """The program this server follows."""

    async def genesis_hash(self) -> str:
        """Identity of the chain."""

    async def slot(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current slot."""

    async def node_problem(self) -> str:
        """What the node says is wrong with itself, that it is behind the cluster above all; "" where it is well."""

    async def block_height(self, commitment: Commitment = Commitment.CONFIRMED) -> int:
        """Current block height."""

    async def unix_time(self) -> int:
        """The cluster's clock (sysvar Clock), unix seconds."""

    async def accounts(
        self,
        addresses: Sequence[str],
        *,
        min_context_slot: int | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Any number of accounts, one getMultipleAccounts per 100."""

    async def program_accounts(
        self,
        *,
        holding: Sequence[tuple[int, str]] = (),
        part: tuple[int, int] | None = None,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> AccountsRead:
        """Accounts of the program, with the context slot: those `holding` all these bytes (offset and base58, at most
        four). With `part` (offset and length) the data of each is cut to these bytes."""

    async def rent(self, size: int) -> int:
        """Rent-exempt minimum in lamports for `size` bytes (cached)."""

    async def latest_blockhash(self) -> Blockhash:
        """A blockhash for a new transaction."""

    async def is_blockhash_valid(self, blockhash: str, commitment: Commitment = Commitment.PROCESSED) -> bool:
        """Whether a transaction with this blockhash can still land, as that state has it."""

    async def simulate(self, transaction: bytes) -> Simulation:
        """Dry run with signatures verified."""

    async def send(self, transaction: bytes) -> str:
        """Send; returns the signature. Raises TransactionRefusedError where preflight refuses."""

    async def status(self, signature: str, *, search_history: bool = False) -> SignatureStatus | None:
        """Where a transaction stands; None where it is not known."""

    async def statuses(self, signatures: Sequence[str]) -> Sequence[SignatureStatus | None]:
        """Where many transactions stand, history included, 256 to a call; None where one is not known."""

    async def confirm(self, signature: str, timeout: float) -> SignatureStatus | None:
        """Wait until it is confirmed or failed, by signatureSubscribe with polling beside; None after `timeout` s."""

    async def transaction(self, signature: str) -> TransactionRecord | None:
        """A landed transaction with the program's events decoded from its logs."""

    async def transactions(self, signatures: Sequence[str]) -> Sequence[TransactionRecord | None]:
        """Many landed transactions, batched."""

    async def history(
        self, address: str, *, until: str | None = None, before: str | None = None, limit: int = 1000
    ) -> Sequence[HistoryEntry]:
        """An address's transactions, newest first."""

    async def balance_changes(self, token_account: str, signatures: Sequence[str]) -> Sequence[BalanceChange | None]:
        """Many landed transactions with what each did to one token account; None for one that is not served."""

    def follow(self, *, accounts: bool = False) -> AsyncGenerator[FeedItem, None]:
        """Live transactions that mention the program and slot ticks; with `accounts`, where the node offers that, also
        what the program's accounts have become, in no order with the transactions. The first item (a SlotTick) is
        yielded only once the subscription stands. Ends or raises AuthorityUnavailableError when the connection is
        lost."""

    def account_changes(self, address: str) -> AsyncGenerator[int, None]:
        """The slot of every change of an account from now on. Ends or raises AuthorityUnavailableError when the
        connection is lost; silence says nothing."""


class ContentStore(Protocol):
    """Qdrant. Every fetch recomputes the hash of the stored bytes; what does not match is QUARANTINED."""

    async def stage(self, content: Content, *, lease_until: int) -> StoredContent:
        """Insert-only: an existing point keeps state and bytes, only its lease is extended. Returns what is stored."""

    async def promote(self, promotions: Sequence[Promotion]) -> None:
        """Guarded by `sequence < incoming`, never an upsert: points that do not exist stay absent."""

    async def fetch(self, keys: Sequence[ContentKey]) -> Mapping[ContentKey, FetchedContent]:
        """Bodies by id in one call; an answer for every key."""

    async def search(self, criteria: SearchCriteria, query: Embedding, limit: int) -> Sequence[SearchHit]:
        """Best hits first, with the visibility rule in the store's filter. Corrupt points are left out."""

    async def staged(self) -> Sequence[StoredContent]:
        """Every point that is still STAGED (for a rebuild of the index)."""

    async def names(self, after: str | None, limit: int) -> tuple[Sequence[PointName], str | None]:
        """A page of all points, from the place `after` (None: from the beginning), and the next page's place (None:
        none is left). Points that do not say what they are, or something else than their id, are left out."""

    async def staged_by(self, author: str) -> int:
        """How many points of one author are STAGED."""

    async def end_lease(self, key: ContentKey, *, found: int, lease_until: int) -> None:
        """Let the lease of a point that is still STAGED end at `lease_until`, where it would end exactly at `found`."""

    async def restore(self, content: Content, *, lease_until: int, now: int) -> StoredContent:
        """Put proven bytes where there are none, or in place of those that do not match their hash, STAGED; a point
        whose bytes match keeps everything. `restored_at` of what is returned tells whether this did it: it is `now`, or
        later where the point was restored before. Raises InvalidInputError for bytes that do not give the hash."""

    async def quarantine(self, key: ContentKey, *, now: int) -> ContentState:
        """Look again at a point; where its bytes do not match their hash, mark it and take its vectors away, so that
        nothing finds it. Returns what it found."""

    async def census(self) -> ContentCensus:
        """Counts that tell whether derived payload is missing."""

    async def ready(self) -> None:
        """Raises where the store is away."""


class CorrectableContent(ContentStore, Protocol):
    """Qdrant as `chorale.projection.corrections` alone sees it: what lowers or deletes."""

    async def collect_staged(self, keys: Sequence[ContentKey], now: int) -> None:
        """Conditional delete: only what is still STAGED and whose lease has passed."""

    async def correct(self, corrections: Sequence[Correction]) -> None:
        """Write what finalized reads say, each where the point still claims what was found: the only way in which a
        point's sequence falls."""


class Embedder(Protocol):
    """One embedding model with BM25 beside it. Runs in an executor of its own."""

    @property
    def fingerprint(self) -> str:
        """Model, sha256, dimensions and maximum length, as one string."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Embedding]:
        """Document embeddings, batched."""

    async def embed_query(self, text: str) -> Embedding:
        """Query embedding."""


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


class SessionStore(Protocol):
    """Sessions, nonces and idempotency records: small values with a time to live in seconds."""

    async def get(self, key: str) -> bytes | None:
        """The value, None where absent or expired."""

    async def put(self, key: str, value: bytes, ttl: float) -> None:
        """Set or replace."""

    async def add(self, key: str, value: bytes, ttl: float) -> bool:
        """Set only where absent, atomically; False where it is there already."""

    async def take(self, key: str) -> bytes | None:
        """Read and delete, atomically: of many callers one gets the value."""

    async def delete(self, key: str) -> None:
        """Delete; absent is fine."""


class Signer(Protocol):
    """A keypair of this process's own, which pays fees. It never shows its secret."""

    @property
    def address(self) -> str:
        """Public key."""

    def sign(self, transaction: bytes) -> bytes:
        """The transaction with this key's signature put in its place."""
