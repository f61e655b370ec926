"""devAdvanceClock: time passes. Embedded chain only."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.mutations.dev_wallet import tools
from schema.fields import resolved
from schema.scalars import DateTime


@strawberry.type
class DevAdvanceClockMutation:
    """Field of Mutation."""

    @resolved(
        "Turn the chain's clock forward, so that approval windows end; never back. Returns the chain's "
        "time afterwards. Exists on an embedded chain only."
    )
    async def dev_advance_clock(
        self, info: Info, seconds: Annotated[int, strawberry.argument(description="By how much, at least 1.")]
    ) -> DateTime:
        return DateTime(await tools(info).advance_clock(seconds))
