"""configure: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import Configure
from resolvers.mutations.administration import ProtocolSuccess, administer
from resolvers.mutations.running import PROMISE, Refusals, Signed
from schema.fields import resolved


@strawberry.type(description="The parameters are set. Messages that are pending keep their expiry.")
class ConfigureSuccess(ProtocolSuccess):
    """The whole entities, as read after the update."""


ConfigureResult = Annotated[
    ConfigureSuccess | Refusals,
    strawberry.union("ConfigureResult", description="What configure did, or why it did not."),
]


@strawberry.type
class ConfigureMutation:
    """Field of Mutation."""

    @resolved(
        "Set the least stake and the approval window, and who is admin from then on; a new admin has to sign too. Sign "
        f"in as the admin: anybody else gets the error FORBIDDEN, and the program would refuse as well. {PROMISE}"
    )
    async def configure(self, info: Info, input: Signed) -> ConfigureResult:
        return cast("ConfigureResult", await administer(info, Configure, input, ConfigureSuccess))
