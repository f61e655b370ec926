"""Where an update stands."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from schema.fields import resolved
from schema.scalars import Signature
from schema.update import StateUpdate


@strawberry.type
class UpdateQueries:
    """Fields of Query about updates."""

    @resolved("What is known of the update that a transaction makes; null where this server knows nothing of it.")
    async def state_update(
        self, info: Info, signature: Annotated[Signature, strawberry.argument(description="The transaction.")]
    ) -> StateUpdate | None:
        state = await info.context.updates.state(signature)
        return None if state is None else StateUpdate.of(state)
