"""devSign: the signature of a named wallet. Embedded chain only."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.mutations.dev_wallet import Name, tools
from schema.fields import resolved
from schema.scalars import Base64


@strawberry.type
class DevSignMutation:
    """Field of Mutation."""

    @resolved(
        "The transaction with a named wallet's signature put in; nothing is sent. Other signatures stay. "
        "Exists on an embedded chain only."
    )
    async def dev_sign(
        self,
        info: Info,
        name: Name,
        transaction: Annotated[Base64, strawberry.argument(description="What `prepare` returned.")],
    ) -> Base64:
        return Base64(await tools(info).sign(name, transaction))
