"""Relay connections of threads and messages."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from chorale.domain.paging import KeyedRow, Page
from schema.fields import resolved
from schema.message import Message
from schema.paging import Listing
from schema.scalars import Cursor
from schema.thread import Thread
from schema.token import TokenAmount


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Cursors are null where the page is empty."""

    has_next_page: bool = strawberry.field(description="Whether more follow behind `endCursor`.")
    has_previous_page: bool = strawberry.field(description="Whether some lie before `startCursor`.")
    start_cursor: Cursor | None = strawberry.field(description="Cursor of the page's first entry.")
    end_cursor: Cursor | None = strawberry.field(description="Cursor of the page's last entry.")

    @classmethod
    def of(cls, page: Page, listing: Listing) -> PageInfo:
        """Cursors span what was listed, also where an entry was left out after the chain was read."""
        start, end = (page.rows[0], page.rows[-1]) if page.rows else (None, None)
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=None if start is None else Cursor(listing.cursor(start)),
            end_cursor=None if end is None else Cursor(listing.cursor(end)),
        )


@strawberry.type(description="A thread in a list.")
class ThreadEdge:
    """One entry with its place."""

    node: Thread = strawberry.field(description="The thread.")
    cursor: Cursor = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of threads.")
class ThreadConnection:
    """Nodes and edges hold the same threads."""

    nodes: list[Thread] = strawberry.field(description="The threads of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    rows: strawberry.Private[Sequence[KeyedRow]]
    listing: strawberry.Private[Listing]

    @resolved("The threads of this page, each with its cursor.")
    def edges(self) -> list[ThreadEdge]:
        pairs = zip(self.nodes, self.rows, strict=True)
        return [ThreadEdge(node=node, cursor=Cursor(self.listing.cursor(row))) for node, row in pairs]


@strawberry.type(description="A message in a list.")
class MessageEdge:
    """One entry with its place."""

    node: Message = strawberry.field(description="The message.")
    cursor: Cursor = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of messages, each of one version with its thread.")
class MessageConnection:
    """Nodes and edges hold the same messages."""

    nodes: list[Message] = strawberry.field(description="The messages of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    rows: strawberry.Private[Sequence[KeyedRow]]
    listing: strawberry.Private[Listing]

    @resolved("The messages of this page, each with its cursor.")
    def edges(self) -> list[MessageEdge]:
        pairs = zip(self.nodes, self.rows, strict=True)
        return [MessageEdge(node=node, cursor=Cursor(self.listing.cursor(row))) for node, row in pairs]


@strawberry.type(
    description="A page of the messages of one thread that still owe something, all of the thread's version in this "
    "answer, and what they owe together."
)
class EscrowConnection(MessageConnection):
    """`visible` sums over the whole list, `total` over what nobody may list either."""

    total: TokenAmount = strawberry.field(
        description="What all finished messages of the thread owe, whoever may see them: the thread's `escrowTotal`."
    )
    visible: TokenAmount = strawberry.field(
        description="What the messages of this list owe, those of other pages too. Equal to `total` for a co-author."
    )
