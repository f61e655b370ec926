"""The boundaries, and the log of their conflicts."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.cursors import decode
from chorale.domain.errors import AuthorityUnavailableError, InvalidInputError
from resolvers.operators import is_operator, only_operator
from schema.arguments import After
from schema.boundaries import AuthorityHealth, Boundaries, Boundary, CatchUp, VerificationReport
from schema.conflicts import CURSOR, BoundaryConflictConnection
from schema.enums import ConflictKind
from schema.fields import resolved
from schema.measures import BoundaryMeasures


@strawberry.type
class BoundaryQueries:
    """Fields of Query about the boundaries."""

    @resolved(
        "The boundaries between the four systems, as the replica that answers sees them. Asks no authority, so that it "
        "also answers where all of them are away."
    )
    async def boundaries(self, info: Info) -> Boundaries:
        context = info.context
        operator = await _is_known_operator(context)
        report = context.boundaries.running() or context.boundaries.latest()
        return Boundaries(
            checks=[Boundary.of(found, operator=operator) for found in context.boundaries.findings()],
            authorities=[AuthorityHealth.of(known, operator=operator) for known in context.availability.all()],
            measures=BoundaryMeasures.of(context.measures.now()),
            catch_up=CatchUp.of(context.catch_up()),
            writes_shared_content=context.lease.held,
            writer=(context.lease.holder or None) if operator else None,
            verification=None if report is None or not operator else VerificationReport.of(report),
        )

    @resolved(
        "Conflicts that the replica that answers has met since it started, the newest first; it keeps the last 1,000. "
        "For operators: the protocol's admin, and the wallets that this server's settings name."
    )
    async def boundary_conflicts(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 100.")] = None,
        after: After = None,
        kinds: Annotated[
            list[ConflictKind] | None,
            strawberry.argument(description="Only conflicts of these kinds; all where left out or empty."),
        ] = None,
    ) -> BoundaryConflictConnection:
        context = info.context
        await only_operator(context)
        size = context.limits.page_default if first is None else first
        if not 1 <= size <= context.limits.page_max:
            raise InvalidInputError(f"`first` is {size}. Ask for 1 to {context.limits.page_max}.", "first")
        log = context.reconciler.log
        before = None if after is None else _number(log.id, after)
        records = log.before(before, size + 1, frozenset(kinds or ()))
        return BoundaryConflictConnection.of(log.id, records[:size], after=before is not None, more=len(records) > size)


async def _is_known_operator(context: Context) -> bool:
    """Whether the viewer is an operator, as far as that can be told now."""
    try:
        return await is_operator(context)
    except AuthorityUnavailableError:
        return False


def _number(log_id: str, cursor: str) -> int:
    found, number = decode(CURSOR, cursor, (str, int), "after")
    if found != log_id:
        raise InvalidInputError(
            "`after` is a place in the log of another replica, or of this one before it started. Begin anew.", "after"
        )
    return int(number)
