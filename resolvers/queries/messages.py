"""Messages: one by its hash, what awaits a vote, and what is owed."""

from __future__ import annotations

import asyncio
from typing import Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.errors import VersionNotReachedError
from datasources.loaders import MessageKey
from resolvers.queries.threads import reach
from schema.arguments import After, First, MinVersion
from schema.connections import MessageConnection
from schema.fields import resolved
from schema.listings import list_claimable, list_pending_approvals
from schema.message import Message
from schema.reading import read_message
from schema.scalars import Hash, Pubkey

_POLL_SECONDS = 0.1


@strawberry.type
class MessageQueries:
    """Fields of Query about messages."""

    @resolved("A message; null where there is none, or none that the viewer may see.")
    async def message(
        self,
        info: Info,
        content_hash: Annotated[Hash, strawberry.argument(description="Identity of the message.")],
        min_version: MinVersion = None,
    ) -> Message | None:
        if min_version is None:
            return await find_message(info.context, content_hash)
        return await _message_at(info.context, content_hash, min_version)

    @resolved(
        "Open messages that await this voter's vote and that the viewer may see; what expires first, "
        "first. Null only with an error, when an authority is away."
    )
    async def pending_approvals(
        self,
        info: Info,
        voter: Annotated[Pubkey, strawberry.argument(description="The co-author who has not voted yet.")],
        first: First = 20,
        after: After = None,
    ) -> MessageConnection | None:
        return await list_pending_approvals(info.context, info, voter, first=first, after=after)

    @resolved(
        "Messages whose escrow owes this wallet something: deniers their shares, authors their stakes of "
        "expired and cancelled messages. Null only with an error, when an authority is away."
    )
    async def claimable_escrow(
        self,
        info: Info,
        wallet: Annotated[Pubkey, strawberry.argument(description="Whom something is owed to.")],
        first: First = 20,
        after: After = None,
    ) -> MessageConnection | None:
        return await list_claimable(info.context, info, wallet, first=first, after=after)


async def find_message(context: Context, content_hash: str) -> Message | None:
    """The message of a hash, wherever it is; None where absent or not visible."""
    found = await context.index.thread_of(content_hash)
    return None if found is None else await read_message(context, MessageKey(found[0], content_hash))


async def _message_at(context: Context, content_hash: str, version: int) -> Message | None:
    """The message once its thread has reached `version`.

    Absent and invisible ones take the same time and the same answer, so that neither says which it is.
    """
    clock = asyncio.get_running_loop()
    deadline = clock.time() + context.limits.min_version_wait
    found = await context.index.thread_of(content_hash)
    while found is None and clock.time() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        found = await context.index.thread_of(content_hash)
    if found is not None:
        unreached: VersionNotReachedError | None = None
        try:
            await reach(context, found[0], version)
        except VersionNotReachedError as error:
            unreached = error
        message = await read_message(context, MessageKey(found[0], content_hash))
        if message is not None and unreached is not None:
            raise unreached
        if message is not None:
            return message
    await asyncio.sleep(max(0.0, deadline - clock.time()))
    return None
