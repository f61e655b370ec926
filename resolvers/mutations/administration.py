"""What the two mutations of operators share: who may call them, and what their Success shows."""

from __future__ import annotations

from typing import Self, TypeVar

import strawberry

from chorale.context import Context, Info
from chorale.domain.commands import Command
from chorale.domain.errors import AuthorityUnavailableError, StaleReadError
from chorale.domain.updates import Authority
from resolvers.mutations.running import TransactionInput, answer
from resolvers.operators import only_admin
from resolvers.queries.protocol import read_protocol
from resolvers.queries.treasury import read_treasury
from schema.problems import Problem
from schema.protocol import Protocol
from schema.settled import Settled
from schema.treasury import Treasury
from schema.update import StateUpdate
from schema.user import User

S = TypeVar("S", bound="ProtocolSuccess")


@strawberry.type
class ProtocolSuccess:
    """About the protocol; each mutation says in its own type what `wallet` did."""

    protocol: Protocol = strawberry.field(description="The protocol as it is now.")
    treasury: Treasury = strawberry.field(description="The treasury, of the same version.")
    update: StateUpdate = strawberry.field(description="The four steps of the update.")
    wallet: User = strawberry.field(description="The admin who signed.")

    @classmethod
    async def of(cls, context: Context, shown: Settled) -> Self:
        """Reads nothing older than the update. Raises AuthorityUnavailableError, StaleReadError."""
        attempts = context.limits.stale_read_attempts
        for attempt in range(attempts):
            try:
                protocol, treasury = await read_protocol(context), await read_treasury(context)
            except StaleReadError:
                if attempt == attempts - 1:
                    raise
                context.loaders = context.fresh_loaders(min_slot=shown.update.slot)
                continue
            if protocol is not None and treasury is not None:
                return cls(protocol=protocol, treasury=treasury, update=shown.update, wallet=shown.wallet)
        raise AuthorityUnavailableError(Authority.SOLANA, "The node does not show the protocol's account.")


async def administer(info: Info, command: type[Command], input: TransactionInput, success: type[S]) -> S | Problem:
    """Run `command` for the admin. Raises UnauthenticatedError, ForbiddenError."""
    await only_admin(info.context, input.signed_transaction)
    shown = await answer(info, command, input, lambda settled: settled)
    return shown if isinstance(shown, Problem) else await success.of(info.context, shown)
