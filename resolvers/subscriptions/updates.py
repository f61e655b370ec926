"""One update, step by step."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.permissions import still_admitted
from schema.fields import streamed
from schema.scalars import Signature
from schema.update import StateUpdate


@strawberry.type
class UpdateSubscriptions:
    """Fields of Subscription about updates."""

    @streamed(
        "The update that a transaction makes, at every change of its steps or outcome. Ends after "
        "VERIFIED, DIVERGED, REJECTED or EXPIRED."
    )
    async def state_update(
        self, info: Info, signature: Annotated[Signature, strawberry.argument(description="The transaction.")]
    ) -> AsyncGenerator[StateUpdate, None]:
        following = info.context.updates.follow(signature)
        async with aclosing(following):
            async for state in following:
                await still_admitted(info.context)
                yield StateUpdate.of(state)
                if state.outcome.is_final:
                    return
