"""What a thread owes, as a list: messages from the index with what they owe together, at one version."""

from __future__ import annotations

from collections.abc import Awaitable

from chorale.context import Context, Info
from chorale.domain.paging import Page, PageRequest
from datasources.loaders import ThreadRead
from schema.connections import EscrowConnection
from schema.listings import index_reached, message_page
from schema.paging import Listing
from schema.token import TokenAmount

THREAD_ESCROW = Listing("o", (int, str))


def list_thread_escrow(
    context: Context, info: Info, thread: ThreadRead, request: PageRequest
) -> Awaitable[EscrowConnection]:
    """A thread's messages that still owe something, at the version that `thread` was read at.

    Raises MixedVersionsError where the index has gone beyond that version: what a message owed then it no longer knows.
    StaleReadError where the index stays behind.
    """
    visible = 0

    async def page() -> Page:
        nonlocal visible
        account, index = thread.account, context.index
        await index_reached(context, account)
        found, visible = await index.escrow(account.thread_id, request, viewer=context.wallet)
        if found.sequence > account.sequence:
            raise context.loaders.mixture()
        return found

    listed = message_page(context, info, THREAD_ESCROW, page, lambda message: message.account.escrow_remaining > 0)

    async def summed() -> EscrowConnection:
        connection, token = await listed, await context.loaders.token()
        return EscrowConnection(
            nodes=connection.nodes,
            page_info=connection.page_info,
            rows=connection.rows,
            listing=connection.listing,
            total=TokenAmount.of(thread.account.escrow_total, token),
            visible=TokenAmount.of(visible, token),
        )

    return summed()
