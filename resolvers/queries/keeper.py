"""The keeper of this server."""

from __future__ import annotations

import strawberry

from chorale.context import Info
from chorale.domain.errors import UnauthenticatedError
from schema.fields import resolved
from schema.keeper import Keeper


@strawberry.type
class KeeperQueries:
    """Fields of Query about the keeper."""

    @resolved("The keeper that runs in this server, for whoever is signed in; null where this server runs none.")
    def keeper(self, info: Info) -> Keeper | None:
        if info.context.viewer is None:
            raise UnauthenticatedError
        keeper = info.context.keeper
        return None if keeper is None else Keeper.of(keeper.report())
