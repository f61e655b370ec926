"""Search: what is asked for and how hits are shown."""

from __future__ import annotations

import strawberry

from chorale.domain.highlights import best_fragment
from schema.connections import PageInfo
from schema.enums import MessageStatus
from schema.fields import resolved
from schema.message import Message
from schema.scalars import Cursor, DateTime, Hash, Pubkey


@strawberry.input(description="Narrows a search down. Every condition given must hold.")
class SearchFilter:
    """All optional."""

    thread_id: Hash | None = strawberry.field(default=None, description="Only in this thread.")
    author: Pubkey | None = strawberry.field(default=None, description="Only by this author.")
    submitted_after: DateTime | None = strawberry.field(
        default=None, description="Only submitted at this moment or later."
    )
    submitted_before: DateTime | None = strawberry.field(default=None, description="Only submitted before then.")
    status: list[MessageStatus] | None = strawberry.field(default=None, description="Only messages that stand so.")


@strawberry.type(description="A stretch of a highlight's text.")
class TextRange:
    """Half-open."""

    start: int = strawberry.field(description="First UTF-16 code unit of the stretch, counted from 0.")
    end: int = strawberry.field(description="The UTF-16 code unit behind the stretch.")


@strawberry.type(description="A fragment of a hit's text, as plain text and never as HTML, with what matched in it.")
class Highlight:
    """Without ranges where the hit matched by meaning alone."""

    text: str = strawberry.field(description="The fragment.")
    ranges: list[TextRange] = strawberry.field(description="Where words of the query stand in it, in order.")


@strawberry.type(description="A hit.")
class SearchEdge:
    """One entry with its rank's cursor."""

    node: Message = strawberry.field(description="The message.")
    cursor: Cursor = strawberry.field(description="Its rank, good for the same query, filter and viewer only.")
    score: float = strawberry.field(description="How well it matches. Scores compare within one answer only.")
    body: strawberry.Private[str]
    query: strawberry.Private[str]

    @resolved("What of its text matched.")
    def highlights(self) -> list[Highlight]:
        fragment = best_fragment(self.body, self.query)
        ranges = [TextRange(start=start, end=end) for start, end in fragment.ranges]
        return [Highlight(text=fragment.text, ranges=ranges)]


@strawberry.type(description="A page of hits, best first.")
class SearchConnection:
    """Nodes and edges hold the same messages."""

    edges: list[SearchEdge] = strawberry.field(description="The hits, each with score, highlights and cursor.")
    nodes: list[Message] = strawberry.field(description="The hits' messages.")
    page_info: PageInfo = strawberry.field(description="Where this page lies among the hits.")
