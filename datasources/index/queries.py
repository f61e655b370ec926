"""Reading the index: lookups at once, listings beside the event loop."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Any

from chorale.domain.approval import MessageStatus
from chorale.domain.errors import InvalidInputError
from chorale.domain.events import EventBatch, EventPosition
from chorale.domain.paging import Page, PageRequest
from chorale.domain.projection import ChainCursor, IndexCensus, ListedThread, LoggedTransaction, Settled, ThreadProgress
from datasources.index import listings, log, pages, tree
from datasources.index.connections import Connections
from datasources.index.integers import exact_sum, joined
from datasources.index.kept_queries import KeptQueries
from datasources.index.listed import listed, thread_of
from datasources.index.listings import Listing
from datasources.index.treasury_queries import TreasuryQueries


class IndexQueries(TreasuryQueries, KeptQueries):
    """Every question that the index answers from its tables; see `IndexReader` and `Index` in the ports."""

    def __init__(self, connections: Connections, log_id: str) -> None:
        self._connections = connections
        self._log_id = log_id

    @property
    def log_id(self) -> str:
        """Identity of the event log."""
        return self._log_id

    # Lookups

    async def thread_sequence(self, thread_id: str) -> int:
        """See IndexReader."""
        return self._connections.look(lambda connection: _sequence(connection, thread_id))

    async def thread_of(self, content_hash: str) -> tuple[str, MessageStatus] | None:
        """See IndexReader."""
        return self._connections.look(partial(thread_of, content_hash=content_hash))

    async def listed(self, thread_id: str, content_hash: str | None) -> ListedThread | None:
        """See IndexReader."""
        return await self._connections.read(partial(listed, thread_id=thread_id, content_hash=content_hash))

    async def thread_id_at(self, address: str) -> str | None:
        """See IndexReader."""
        row = self._one("SELECT thread_id FROM threads WHERE address = ?", address)
        return row[0] if row else None

    async def latest(self, thread_id: str) -> EventPosition:
        """See IndexReader."""
        return self._connections.look(lambda connection: log.latest(connection, self._log_id, thread_id))

    async def merkle_path(self, thread_id: str, leaf_index: int, published_count: int) -> Sequence[str] | None:
        """See IndexReader."""
        if not 0 <= leaf_index < published_count:
            return None

        def look(connection: sqlite3.Connection) -> Sequence[str] | None:
            rows = connection.execute("SELECT number, leaves FROM threads WHERE thread_id = ?", (thread_id,)).fetchall()
            if not rows or rows[0][1] < published_count:
                return None
            return tree.path(connection, rows[0][0], leaf_index, published_count)

        return self._connections.look(look)

    async def progress(self, thread_id: str) -> ThreadProgress:
        """See Index."""

        def look(connection: sqlite3.Connection) -> ThreadProgress:
            rows = connection.execute(
                "SELECT number, sequence, slot, leaves FROM threads WHERE thread_id = ?", (thread_id,)
            ).fetchall()
            if not rows:
                return ThreadProgress()
            number, sequence, slot, leaves = rows[0]
            return ThreadProgress(sequence, slot, leaves, log.newest_signature(connection, number))

        return self._connections.look(look)

    async def settled(self, thread_id: str, signature: str) -> Settled | None:
        """See Index."""

        def look(connection: sqlite3.Connection) -> Settled | None:
            position = log.of_signature(connection, self._log_id, thread_id, signature)
            if position is None:
                return None
            [(sequence, slot)] = connection.execute(
                "SELECT sequence, slot FROM threads WHERE thread_id = ?", (thread_id,)
            ).fetchall()
            return Settled(sequence, slot, position)

        return self._connections.look(look)

    async def logged(self, since: int, limit: int) -> Sequence[LoggedTransaction]:
        """See Index."""
        return await self._connections.read(partial(log.logged, since=since, limit=limit))

    async def wholly_logged(self, signatures: Sequence[str]) -> frozenset[str]:
        """See Index."""
        return frozenset(await self._connections.read(partial(log.wholly_logged, signatures=signatures)))

    async def log_signatures(self, thread_id: str, up_to: int, limit: int) -> Sequence[tuple[int, str, int]]:
        """See Index."""
        return await self._connections.read(lambda connection: log.signatures(connection, thread_id, up_to, limit))

    async def chain_cursor(self) -> ChainCursor | None:
        """See Index."""
        row = self._one(
            """SELECT a.value, b.value FROM meta a JOIN meta b
               WHERE a.key = 'cursor_signature' AND b.key = 'cursor_slot'"""
        )
        return ChainCursor(row[0], int(row[1])) if row else None

    # Listings

    async def threads(self, page: PageRequest, *, co_author: str | None = None) -> Page:
        """See IndexReader."""
        return await self._page(listings.threads(co_author), page)

    async def messages(
        self,
        thread_id: str,
        page: PageRequest,
        *,
        viewer: str | None,
        statuses: Sequence[MessageStatus] = (),
        up_to: int | None = None,
    ) -> Page:
        """See IndexReader."""
        listing = listings.messages(thread_id, viewer, statuses, up_to)
        return await self._connections.read(
            lambda connection: pages.fetch(connection, listing, page, _sequence(connection, thread_id))
        )

    async def messages_of(self, author: str, page: PageRequest, *, viewer: str | None) -> Page:
        """See IndexReader."""
        return await self._page(listings.messages_of(author, viewer), page)

    async def pending_approvals(self, voter: str, page: PageRequest, *, viewer: str | None, now: int) -> Page:
        """See IndexReader."""
        return await self._page(listings.pending_approvals(voter, viewer, now), page)

    async def claimable(self, wallet: str, page: PageRequest, *, viewer: str | None) -> Page:
        """See IndexReader."""
        return await self._page(listings.claimable(wallet, viewer), page)

    async def escrow(self, thread_id: str, page: PageRequest, *, viewer: str | None) -> tuple[Page, int]:
        """See IndexReader."""
        listing = listings.escrow(thread_id, viewer)

        def read(connection: sqlite3.Connection) -> tuple[Page, int]:
            total = connection.execute(
                f"SELECT {exact_sum('m.escrow_remaining')} {listing.source}", listing.arguments
            ).fetchone()
            return pages.fetch(connection, listing, page, _sequence(connection, thread_id)), joined(*total)

        return await self._connections.read(read)

    async def co_authored(self, wallet: str, limit: int) -> Sequence[str]:
        """See IndexReader."""
        page = await self._page(listings.threads(wallet), PageRequest(first=limit))
        return [row.id for row in page.rows]

    async def census(self) -> IndexCensus:
        """See Index."""
        rows = await self._connections.read(
            lambda connection: connection.execute(
                """SELECT (SELECT count(*) FROM threads WHERE sequence > 0),
                          (SELECT count(*) FROM messages WHERE status <> 'STAGED'),
                          (SELECT count(*) FROM messages WHERE status = 'STAGED')"""
            ).fetchall()
        )
        return IndexCensus(*rows[0])

    async def thread_ids(self, after: str, limit: int) -> Sequence[str]:
        """See Index."""
        return await self._names(
            "SELECT thread_id FROM threads WHERE sequence > 0 AND thread_id > ? ORDER BY thread_id LIMIT ?",
            after,
            limit,
        )

    async def content_hashes(self, thread_id: str, after: str, limit: int) -> Sequence[str]:
        """See Index."""
        return await self._names(
            """SELECT content_hash FROM messages WHERE thread = (SELECT number FROM threads WHERE thread_id = ?)
               AND status <> 'STAGED' AND content_hash > ? ORDER BY content_hash LIMIT ?""",
            thread_id,
            after,
            limit,
        )

    async def events_after(self, thread_id: str, after: EventPosition | None, limit: int) -> EventBatch:
        """See IndexReader. Raises InvalidInputError where `after` belongs to another thread."""
        if after is None:
            return EventBatch((), await self.latest(thread_id))
        if after.thread_id != thread_id:
            raise InvalidInputError("This event cursor belongs to another thread.", "after")
        place = after
        while True:
            batch = self._connections.look(partial(log.after, log_id=self._log_id, place=place, limit=limit))
            # A batch may consist of events that nobody is served; then the next one counts.
            if batch.events or batch.gap or batch.position == place:
                return batch
            place = batch.position

    def _one(self, sql: str, *arguments: object) -> tuple[Any, ...] | None:
        rows = self._connections.look(lambda connection: connection.execute(sql, arguments).fetchall())
        return rows[0] if rows else None

    async def _page(self, listing: Listing, request: PageRequest) -> Page:
        return await self._connections.read(lambda connection: pages.fetch(connection, listing, request))

    async def _names(self, sql: str, *arguments: object) -> Sequence[str]:
        rows = await self._connections.read(lambda connection: connection.execute(sql, arguments).fetchall())
        return [row[0] for row in rows]


def _sequence(connection: sqlite3.Connection, thread_id: str) -> int:
    rows = connection.execute("SELECT sequence FROM threads WHERE thread_id = ?", (thread_id,)).fetchall()
    return rows[0][0] if rows else 0
