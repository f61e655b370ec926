"""Threads: one by its identity, and the list of all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import strawberry

from chorale.context import Context, Info
from chorale.domain.approval import MessageStatus
from chorale.domain.errors import ChoraleError, VersionNotReachedError
from datasources.loaders import MessageKey
from schema.arguments import After, First, MinVersion
from schema.connections import ThreadConnection
from schema.fields import resolved
from schema.listings import THREAD_MESSAGES, index_page, list_threads
from schema.lookahead import arguments_below
from schema.scalars import Hash, Pubkey
from schema.thread import Thread

_POLL_SECONDS = 0.1


@strawberry.type
class ThreadQueries:
    """Fields of Query about threads."""

    @resolved("A thread; null where there is none.")
    async def thread(
        self,
        info: Info,
        thread_id: Annotated[Hash, strawberry.argument(description="Identity of the thread.")],
        min_version: MinVersion = None,
    ) -> Thread | None:
        context = info.context
        if min_version is not None:
            await reach(context, thread_id, min_version)
        await _want_messages(info, thread_id)
        return await read_thread(context, thread_id)

    @resolved("All threads, newest activity first. Null only with an error, when an authority is away.")
    async def threads(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        co_author: Annotated[
            Pubkey | None, strawberry.argument(description="Only threads that this wallet co-authors.")
        ] = None,
    ) -> ThreadConnection | None:
        return await list_threads(info.context, info, first=first, after=after, co_author=co_author)


async def read_thread(context: Context, thread_id: str) -> Thread | None:
    """The thread as it is on chain; None where absent."""
    if context.wallet is not None:
        context.loaders.want_time()
    read, token = await asyncio.gather(context.loaders.thread(thread_id), context.loaders.token())
    return None if read is None else Thread(context=context, read=read, token=token)


async def reach(context: Context, thread_id: str, version: int) -> None:
    """Wait until index and chain read have reached `version`. Raises VersionNotReachedError after the limit.

    Raises MixedVersionsError where a neighbour in the same answer has read the thread before that.
    """
    try:
        async with asyncio.timeout(context.limits.min_version_wait):
            # The index follows the chain, so what it has reached a healthy node has reached too.
            if not await context.index.wait_for(thread_id, version, context.limits.min_version_wait):
                raise VersionNotReachedError
            read = await context.loaders.thread(thread_id)
            if read is not None and read.account.sequence >= version:
                return
            while read is None or read.account.sequence < version:
                await asyncio.sleep(_POLL_SECONDS)
                read = await context.fresh_loaders(reread=True).thread(thread_id)
    except TimeoutError:
        raise VersionNotReachedError from None
    raise context.loaders.mixture()


async def _want_messages(info: Info, thread_id: str) -> None:
    """Where the client has selected messages, put them into the same read as their thread."""
    context = info.context
    for arguments in arguments_below(info, "messages"):
        try:
            page = await index_page(context, thread_id, *_page_arguments(context, arguments))
        except (ChoraleError, ValueError, TypeError):
            continue  # the field itself says what is wrong with its arguments
        context.loaders.want([MessageKey(row.thread_id, row.id) for row in page.rows])


def _page_arguments(context: Context, arguments: Mapping[str, Any]) -> tuple[Any, tuple[MessageStatus, ...]]:
    paging = {name: arguments.get(name) for name in ("first", "after", "last", "before")}
    statuses = arguments.get("status") or ()
    listed = statuses if isinstance(statuses, list | tuple) else [statuses]
    return (
        THREAD_MESSAGES.request(context.limits, **paging, from_end=True),
        tuple(MessageStatus(status) for status in listed),
    )
