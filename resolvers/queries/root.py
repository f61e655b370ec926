"""Query, put together from its parts."""

from __future__ import annotations

import strawberry

from resolvers.prepare.root import PrepareQueries
from resolvers.queries.boundaries import BoundaryQueries
from resolvers.queries.keeper import KeeperQueries
from resolvers.queries.messages import MessageQueries
from resolvers.queries.nodes import NodeQueries
from resolvers.queries.protocol import ProtocolQueries
from resolvers.queries.search import SearchQueries
from resolvers.queries.threads import ThreadQueries
from resolvers.queries.treasury import TreasuryQueries
from resolvers.queries.updates import UpdateQueries
from resolvers.queries.users import UserQueries


@strawberry.type(
    description="Everything that can be read. Within one answer a thread and its messages are of one version; what is "
    "absent and what the viewer may not see look the same."
)
class Query(
    PrepareQueries,
    UpdateQueries,
    SearchQueries,
    MessageQueries,
    ThreadQueries,
    ProtocolQueries,
    TreasuryQueries,
    KeeperQueries,
    BoundaryQueries,
    UserQueries,
    NodeQueries,
):
    """One base per noun."""
