"""What a client shows, as it says, and how that stands to what is."""

from __future__ import annotations

import strawberry

from schema.enums import UiStanding
from schema.node import Node
from schema.scalars import Version


@strawberry.input(description="Something that the client shows.")
class ShownEntity:
    """One node."""

    id: strawberry.ID = strawberry.field(description="The node's `id`: a thread's, a message's or the protocol's.")
    version: Version = strawberry.field(description="Its `version` as shown.")


@strawberry.type(description="How something that the client shows stands to what is.")
class ConfirmedEntity:
    """In the order in which they were asked about."""

    id: strawberry.ID = strawberry.field(description="The id that was asked about.")
    standing: UiStanding = strawberry.field(description="How it stands.")
    version: Version | None = strawberry.field(description="The version that there is now; null where it is UNKNOWN.")
    node: Node | None = strawberry.field(
        description="The node as it is now where the client has to refresh; null where it is CURRENT or UNKNOWN."
    )
