"""Preparing what the admin alone may do."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.operators import only_admin
from resolvers.prepare.arguments import Fees, domain_fees, shown
from schema.fields import resolved
from schema.prepare import PrepareResult
from schema.scalars import U64, Pubkey

Admin = Annotated[Pubkey, strawberry.argument(description="The admin, who will sign.")]
_WHO = "For the admin that the chain names: anybody else gets the error FORBIDDEN."


@strawberry.type
class PrepareAdministration:
    """Fields of Prepare."""

    @resolved(f"The protocol's parameters. What is left out stays as it is at this moment. {_WHO}")
    async def configure(
        self,
        info: Info,
        wallet: Admin,
        minimum_stake: Annotated[
            U64 | None, strawberry.argument(description="The least stake from then on, in base units, at least 1.")
        ] = None,
        approval_window_seconds: Annotated[
            int | None,
            strawberry.argument(
                description="How long messages submitted from then on stay open: 3,600 to 2,592,000 seconds."
            ),
        ] = None,
        admin: Annotated[
            Pubkey | None, strawberry.argument(description="The admin from then on, who has to sign too.")
        ] = None,
        fees: Fees = None,
    ) -> PrepareResult:
        context = info.context
        await only_admin(context)
        prepared = await context.preparer.configure(
            wallet, minimum_stake, approval_window_seconds, admin, domain_fees(fees)
        )
        return await shown(context, prepared)

    @resolved(
        "A payment out of the treasury. Where the admin's associated token account is missing the transaction makes "
        f"it first, and `rentLamports` holds its rent. {_WHO}"
    )
    async def withdraw_treasury(
        self,
        info: Info,
        wallet: Admin,
        amount: Annotated[U64, strawberry.argument(description="How much, in base units, at least 1.")],
        destination: Annotated[
            Pubkey | None,
            strawberry.argument(description="A token account that the admin holds; the associated one where left out."),
        ] = None,
        fees: Fees = None,
    ) -> PrepareResult:
        context = info.context
        await only_admin(context)
        prepared = await context.preparer.withdraw_treasury(wallet, amount, destination, domain_fees(fees))
        return await shown(context, prepared)
