"""verifyBoundaries: a complete check of everything derived, on demand."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from resolvers.operators import only_operator
from schema.boundaries import VerificationReport
from schema.fields import resolved


@strawberry.type
class VerifyBoundariesMutation:
    """Field of Mutation."""

    @resolved(
        "Check the four boundaries completely, each system's state against its authority, on the replica that answers. "
        "One such verification runs at a time: whoever asks meanwhile gets that one, or with `repair` waits for a "
        "repairing one. It goes on where the caller leaves; `boundaries.verification` and `boundaryEvents` tell of it. "
        "For operators: the protocol's admin, and the wallets that this server's settings name."
    )
    async def verify_boundaries(
        self,
        info: Info,
        repair: Annotated[
            bool, strawberry.argument(description="Have every conflict resolved by its authority, not only reported.")
        ] = False,
        wait: Annotated[
            bool,
            strawberry.argument(
                description="Answer when it has ended. Otherwise at once, with the one that is then under way; its "
                "`repair` says whether that is one which repairs."
            ),
        ] = True,
    ) -> VerificationReport:
        context = info.context
        await only_operator(context)
        if wait:
            return VerificationReport.of(await context.boundaries.verify(repair=repair))
        return VerificationReport.of(context.boundaries.begin(repair=repair).report())
