"""confirmUiState: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Info
from chorale.domain.errors import AuthorityUnavailableError
from resolvers.ui_reports import compare
from schema.fields import resolved
from schema.problems import AuthorityUnavailable, InvalidInput
from schema.ui_state import ConfirmedEntity, ShownEntity


@strawberry.type(description="How everything that the client shows stands to what is.")
class ConfirmUiStateSuccess:
    """One answer for each question."""

    entities: list[ConfirmedEntity] = strawberry.field(description="In the order in which they were asked about.")


ConfirmUiStateResult = Annotated[
    ConfirmUiStateSuccess | InvalidInput | AuthorityUnavailable,
    strawberry.union("ConfirmUiStateResult", description="How it stands, or why that cannot be told."),
]


@strawberry.type
class ConfirmUiStateMutation:
    """Field of Mutation."""

    @resolved(
        "Say what is on screen, and learn what of it is to be refreshed. Everything is read from the chain for this; a "
        "version that this replica has not reached is waited for, up to 5 seconds, before it is called AHEAD. Changes "
        "nothing on chain. The report of a session, or of a socket, is kept for 5 minutes, for the operators' checks; "
        "the next one takes its place."
    )
    async def confirm_ui_state(
        self,
        info: Info,
        entities: Annotated[
            list[ShownEntity], strawberry.argument(description="What the client shows, at most 200 entities.")
        ],
    ) -> ConfirmUiStateResult:
        most = info.context.limits.ui_entities
        if len(entities) > most:
            return InvalidInput(
                code="TOO_MANY",
                explanation=f"`entities` holds {len(entities)}, {most} are allowed. Ask in parts.",
                retryable=False,
                field="entities",
            )
        try:
            return ConfirmUiStateSuccess(entities=await compare(info.context, entities))
        except AuthorityUnavailableError as error:
            return AuthorityUnavailable(
                code=error.code, explanation=str(error), retryable=True, authority=error.authority
            )
