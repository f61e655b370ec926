"""withdrawTreasury: result and resolver."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from chorale.context import Info
from chorale.domain.commands import WithdrawTreasury
from resolvers.mutations.administration import ProtocolSuccess, administer
from resolvers.mutations.running import PROMISE, Refusals, Signed
from schema.fields import resolved


@strawberry.type(description="The treasury has paid.")
class WithdrawTreasurySuccess(ProtocolSuccess):
    """The whole entities, as read after the update."""


WithdrawTreasuryResult = Annotated[
    WithdrawTreasurySuccess | Refusals,
    strawberry.union("WithdrawTreasuryResult", description="What withdrawTreasury did, or why it did not."),
]


@strawberry.type
class WithdrawTreasuryMutation:
    """Field of Mutation."""

    @resolved(
        "Pay out of the treasury into a token account of the admin's. Sign in as the admin: anybody else gets the "
        f"error FORBIDDEN, and the program would refuse as well. {PROMISE}"
    )
    async def withdraw_treasury(self, info: Info, input: Signed) -> WithdrawTreasuryResult:
        return cast("WithdrawTreasuryResult", await administer(info, WithdrawTreasury, input, WithdrawTreasurySuccess))
