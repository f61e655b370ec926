"""The protocol's parameters over time, as the chain's events tell them."""

from __future__ import annotations

from collections.abc import Sequence

import strawberry

from chorale.context import Context
from chorale.domain import treasury
from chorale.domain.errors import StaleReadError
from chorale.domain.paging import KeyedRow
from datasources.loaders import Token
from schema.connections import PageInfo
from schema.fields import resolved
from schema.paging import Listing
from schema.scalars import Cursor, DateTime, Signature, Slot, Version
from schema.token import TokenAmount
from schema.user import User

CHANGES = Listing("k", (int, str))


@strawberry.type(description="Parameters that an admin set, all of them each time.")
class ProtocolChange:
    """An embedded value without an identity of its own."""

    version: Version = strawberry.field(description="The protocol's version that began with it.")
    admin: User = strawberry.field(description="The admin from then on.")
    minimum_stake: TokenAmount = strawberry.field(description="The least stake from then on.")
    approval_window_seconds: int = strawberry.field(
        description="How long messages submitted from then on stay open for votes."
    )
    signature: Signature = strawberry.field(description="The transaction.")
    slot: Slot = strawberry.field(description="The slot it landed in.")
    occurred_at: DateTime = strawberry.field(description="When that was.")

    @classmethod
    def of(cls, context: Context, change: treasury.ProtocolChange, token: Token) -> ProtocolChange:
        """The change as the index keeps it."""
        return cls(
            version=Version(change.sequence),
            admin=User.of(context, change.admin or ""),
            minimum_stake=TokenAmount.of(change.minimum_stake or 0, token),
            approval_window_seconds=change.approval_window or 0,
            signature=Signature(change.signature),
            slot=Slot(change.slot),
            occurred_at=DateTime(change.occurred_at),
        )


@strawberry.type(description="A change of the parameters in a list.")
class ProtocolChangeEdge:
    """One entry with its place."""

    node: ProtocolChange = strawberry.field(description="The change.")
    cursor: Cursor = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of changes of the parameters.")
class ProtocolChangeConnection:
    """Nodes and edges hold the same changes."""

    nodes: list[ProtocolChange] = strawberry.field(description="The changes of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")
    rows: strawberry.Private[Sequence[KeyedRow]]

    @resolved("The changes of this page, each with its cursor.")
    def edges(self) -> list[ProtocolChangeEdge]:
        pairs = zip(self.nodes, self.rows, strict=True)
        return [ProtocolChangeEdge(node=node, cursor=Cursor(CHANGES.cursor(row))) for node, row in pairs]


async def protocol_reached(context: Context, sequence: int) -> None:
    """Wait until the index has that version of the protocol. Raises StaleReadError."""
    if not await context.index.wait_for_protocol(sequence, context.limits.min_version_wait):
        raise StaleReadError("The index of this replica has not reached the protocol in time. Ask again.")
