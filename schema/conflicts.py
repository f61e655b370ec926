"""Conflicts between the four systems, as the log of this replica holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import strawberry

from chorale.domain.conflict import ConflictRecord
from chorale.domain.cursors import encode
from schema.connections import PageInfo
from schema.enums import Authority, ConflictCause, ConflictKind, Settlement
from schema.scalars import Cursor, DateTime, Hash, Slot, Version

_MILLISECONDS = 1000


@strawberry.type(description="A disagreement between a system and the authority for its state, and what became of it.")
class BoundaryConflict:
    """Wraps a record. Holds no content."""

    number: int = strawberry.field(description="Its number in the log of this replica, ascending.")
    at: DateTime = strawberry.field(description="When it was settled, or left open.")
    kind: ConflictKind = strawberry.field(description="One of the four kinds.")
    cause: ConflictCause = strawberry.field(description="What was found.")
    authority: Authority = strawberry.field(description="Who decided.")
    subject: strawberry.ID = strawberry.field(description="The global id of what it is about.")
    thread_id: Hash | None = strawberry.field(description="The thread that it belongs to; null where there is none.")
    expected: str = strawberry.field(description="What the authority says, in short and without any text.")
    found: str = strawberry.field(description="What was there instead, likewise.")
    slot: Slot | None = strawberry.field(description="The slot at which the authority was read; null where none was.")
    version: Version | None = strawberry.field(description="The version that the authority was at; null where none is.")
    settlement: Settlement = strawberry.field(description="What became of it.")
    action: str = strawberry.field(description="What was done, in a sentence.")
    duration_ms: float = strawberry.field(description="How long that took, in milliseconds.")

    @classmethod
    def of(cls, record: ConflictRecord) -> Self:
        """One entry of the log."""
        conflict = record.conflict
        return cls(
            number=record.number,
            at=DateTime(int(record.at)),
            kind=conflict.kind,
            cause=conflict.cause,
            authority=conflict.authority,
            subject=strawberry.ID(conflict.subject),
            thread_id=Hash(conflict.thread_id) if conflict.thread_id else None,
            expected=conflict.expected,
            found=conflict.found,
            slot=Slot(conflict.slot) if conflict.slot else None,
            version=Version(conflict.sequence) if conflict.sequence else None,
            settlement=record.settlement,
            action=record.action,
            duration_ms=round(record.seconds * _MILLISECONDS, 3),
        )


@strawberry.type(description="A conflict in a list.")
class BoundaryConflictEdge:
    """One entry with its place."""

    node: BoundaryConflict = strawberry.field(description="The conflict.")
    cursor: Cursor = strawberry.field(description="Its place in the log of this replica.")


@strawberry.type(description="A page of conflicts, the newest first.")
class BoundaryConflictConnection:
    """Nodes and edges hold the same conflicts."""

    nodes: list[BoundaryConflict] = strawberry.field(description="The conflicts of this page.")
    edges: list[BoundaryConflictEdge] = strawberry.field(
        description="The conflicts of this page, each with its cursor."
    )
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @classmethod
    def of(cls, log_id: str, records: Sequence[ConflictRecord], *, after: bool, more: bool) -> Self:
        """A page of the log `log_id`; `after`: it does not begin at the newest, `more`: older ones follow."""
        nodes = [BoundaryConflict.of(record) for record in records]
        cursors = [Cursor(encode(CURSOR, (log_id, record.number))) for record in records]
        edges = [BoundaryConflictEdge(node=node, cursor=at) for node, at in zip(nodes, cursors, strict=True)]
        info = PageInfo(
            has_next_page=more,
            has_previous_page=after,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )
        return cls(nodes=nodes, edges=edges, page_info=info)


CURSOR = "x"
"""The kind of the cursors here; they hold the log's id and a number."""
