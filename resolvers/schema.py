"""The schema: one for an embedded chain, with the development mutations, and one for every other."""

from __future__ import annotations

import strawberry
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig

from chorale.limits import Limits
from resolvers.execution import ChoraleSchema, drop_null_defaults, shorten_resolvers
from resolvers.extensions import extensions
from resolvers.mutations.root import mutation_type
from resolvers.queries.root import Query
from resolvers.subscriptions.root import Subscription
from schema import events, treasury
from schema.scalars import SCALAR_MAP

_EVENTS = (
    events.ThreadCreated,
    events.MessageSubmitted,
    events.VoteCast,
    events.MessagePublished,
    events.MessageDecided,
    events.MessageCancelled,
    events.MessageExpired,
    events.EscrowClaimed,
    events.StakeRefunded,
    events.CoAuthorJoined,
    events.CoAuthorLeft,
    events.ContentRestored,
    events.UpdateVerified,
    events.UpdateDiverged,
    events.Gap,
)

_FLOWS = (treasury.TreasurySweep, treasury.TreasuryDeposit, treasury.TreasuryWithdrawal)


def build_schema(*, embedded: bool, limits: Limits | None = None) -> strawberry.Schema:
    """The executable schema. The development mutations are in it only where the chain is `embedded`."""
    schema = ChoraleSchema(
        query=Query,
        mutation=mutation_type(embedded=embedded),
        subscription=Subscription,
        types=(*_EVENTS, *_FLOWS),
        extensions=extensions(limits or Limits()),
        config=StrawberryConfig(scalar_map=SCALAR_MAP, sort_schema=False),
    )
    drop_null_defaults(schema)
    shorten_resolvers(schema)
    return schema


def export_schema() -> str:
    """SDL of the schema with everything in it, the same text every time."""
    return print_schema(build_schema(embedded=True)) + "\n"
