"""Anything by its global id."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.errors import InvalidInputError
from resolvers.queries.messages import find_message
from resolvers.queries.protocol import read_protocol
from resolvers.queries.threads import read_thread
from schema.fields import resolved
from schema.node import Node
from schema.scalars import parse_hash, parse_pubkey
from schema.user import User


@strawberry.type
class NodeQueries:
    """Fields of Query that fetch again what has an id."""

    @resolved("Anything by its id; null where there is none, or none that the viewer may see.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="A node's `id`.")]
    ) -> Node | None:
        return await read_node(info.context, id)

    @resolved("Many by their ids, in the same order, read in the same batches.", graphql_type=list[Node | None])
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of nodes, at most 100.")],
    ) -> list[Awaitable[Node | None]]:
        most = info.context.limits.nodes_max
        if len(ids) > most:
            raise InvalidInputError(f"`ids` holds {len(ids)} ids, {most} are allowed. Ask in parts.", "ids")
        # Awaited one by one, so that an item that cannot be read is null with its own error, and no other is.
        return [asyncio.ensure_future(read_node(info.context, id)) for id in ids]


async def read_node(context: Context, id: str) -> Node | None:
    """Whatever has this id; None where nothing has, or nothing that the viewer may see."""
    kind, _, key = id.partition(":")
    try:
        match kind:
            case "Thread":
                return await read_thread(context, parse_hash(key))
            case "Message":
                return await find_message(context, parse_hash(key))
            case "User":
                return User.of(context, parse_pubkey(key))
            case "Protocol" if id == "Protocol":
                return await read_protocol(context)
    except InvalidInputError:
        return None  # an id that nothing can have
    return None
