"""Lists: keys from the index, ownership from accounts in one batch, bodies along with the page where selected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from chorale.context import Context, Info
from chorale.domain.accounts import ThreadAccount
from chorale.domain.approval import MessageStatus, can_claim, can_vote
from chorale.domain.errors import StaleReadError
from chorale.domain.paging import KeyedRow, Page, PageRequest
from datasources.loaders import Expectation, MessageKey, ThreadRead
from schema.connections import MessageConnection, PageInfo, ThreadConnection
from schema.lookahead import BODY_FIELDS, TITLE_FIELDS, selects
from schema.message import Message
from schema.paging import Listing
from schema.reading import read_messages
from schema.thread import Thread

THREADS = Listing("t", (int, str))
THREAD_MESSAGES = Listing("m", (int, str))
MESSAGES_OF = Listing("u", (int, str))
PENDING_APPROVALS = Listing("p", (int, str))
CLAIMABLE = Listing("c", (int, str))


async def list_threads(
    context: Context, info: Info, *, first: int | None, after: str | None, co_author: str | None
) -> ThreadConnection:
    """Threads, newest activity first; of `co_author` only where the account still names them."""
    request = THREADS.request(context.limits, first=first, after=after)
    page = await context.index.threads(request, co_author=co_author)
    loaders = context.loaders
    token = await loaders.token()
    reads = await loaders.threads([row.id for row in page.rows])
    shown = [
        (row, read)
        for row, read in zip(page.rows, reads, strict=True)
        if read is not None and (co_author is None or read.account.has_co_author(co_author))
    ]
    if selects(info, TITLE_FIELDS) and not selects(info, BODY_FIELDS):  # else titles go along with the pages within
        await asyncio.gather(*[loaders.title(read.account) for _, read in shown])
    return ThreadConnection(
        nodes=[Thread(context=context, read=read, token=token) for _, read in shown],
        page_info=PageInfo.of(page, THREADS),
        rows=[row for row, _ in shown],
        listing=THREADS,
    )


def list_thread_messages(
    context: Context, info: Info, thread: ThreadRead, request: PageRequest, statuses: tuple[MessageStatus, ...]
) -> Awaitable[MessageConnection]:
    """A thread's messages at the version that `thread` was read at.

    Where the index is ahead, what came since is left out; what stood in `statuses` then, the index no longer knows.
    Raises MixedVersionsError where a message, or with `statuses` the index, has gone beyond the version, StaleReadError
    where the index stays behind.
    """

    async def page() -> Page:
        account, index = thread.account, context.index
        ask = partial(index.messages, account.thread_id, request, viewer=context.wallet, statuses=statuses)
        found = await index_page(context, account.thread_id, request, statuses)
        if found.sequence < account.sequence:
            await index_reached(context, account)
            found = await ask()
        if found.sequence > account.sequence:
            if statuses:
                raise context.loaders.mixture()
            found = await ask(up_to=account.sequence)
        return found

    def stands_so(message: Message) -> bool:
        return not statuses or message.account.status in statuses

    return message_page(context, info, THREAD_MESSAGES, page, stands_so)


def index_page(
    context: Context, thread_id: str, request: PageRequest, statuses: tuple[MessageStatus, ...]
) -> asyncio.Future[Page]:
    """The index's page, asked for once per operation: a thread's resolver may have asked already."""
    pages = context.loaders.pages
    key = (thread_id, request, statuses)
    if key not in pages:
        pages[key] = asyncio.ensure_future(
            context.index.messages(thread_id, request, viewer=context.wallet, statuses=statuses)
        )
    return asyncio.shield(pages[key])


def list_messages_of(
    context: Context, info: Info, author: str, *, first: int | None, after: str | None
) -> Awaitable[MessageConnection]:
    """What `author` wrote and the viewer may see, newest first."""
    request = MESSAGES_OF.request(context.limits, first=first, after=after)

    def page() -> Awaitable[Page]:
        return context.index.messages_of(author, request, viewer=context.wallet)

    return message_page(context, info, MESSAGES_OF, page, lambda message: message.account.author == author)


async def list_pending_approvals(
    context: Context, info: Info, voter: str, *, first: int | None, after: str | None
) -> MessageConnection:
    """Open messages that await `voter`'s vote, the accounts agreeing; what expires first, first."""
    request = PENDING_APPROVALS.request(context.limits, first=first, after=after)
    now = await context.loaders.now()

    def page() -> Awaitable[Page]:
        return context.index.pending_approvals(voter, request, viewer=context.wallet, now=now)

    def awaits_vote(message: Message) -> bool:
        return can_vote(message.account, message.owner.account, voter, now)

    return await message_page(context, info, PENDING_APPROVALS, page, awaits_vote)


def list_claimable(
    context: Context, info: Info, wallet: str, *, first: int | None, after: str | None
) -> Awaitable[MessageConnection]:
    """Messages that owe `wallet` a share or a stake, the accounts agreeing."""
    request = CLAIMABLE.request(context.limits, first=first, after=after)

    def page() -> Awaitable[Page]:
        return context.index.claimable(wallet, request, viewer=context.wallet)

    return message_page(context, info, CLAIMABLE, page, lambda message: can_claim(message.account, wallet))


async def index_reached(context: Context, account: ThreadAccount) -> None:
    """Wait until the index has the version of `account`. Raises StaleReadError."""
    if not await context.index.wait_for(account.thread_id, account.sequence, context.limits.min_version_wait):
        raise StaleReadError("The index of this replica has not reached the thread in time. Ask again.")


def message_page(
    context: Context,
    info: Info,
    listing: Listing,
    page: Callable[[], Awaitable[Page]],
    belongs: Callable[[Message], bool],
) -> Awaitable[MessageConnection]:
    """A page of messages that the viewer may see and that `belong`.

    Announces at once that texts will be asked for, so that titles selected beside them wait and go along."""
    bodies, titles = selects(info, BODY_FIELDS), selects(info, TITLE_FIELDS)
    expectation: Expectation | None = None

    async def load() -> MessageConnection:
        found = await page()
        keys = [MessageKey(row.thread_id, row.id) for row in found.rows]
        messages = await read_messages(context, keys, bodies=bodies, titles=titles, expectation=expectation)
        pairs = zip(found.rows, messages, strict=True)
        return _connection(
            listing, found, [(row, message) for row, message in pairs if message is not None and belongs(message)]
        )

    task = asyncio.ensure_future(load())
    if bodies or titles:
        expectation = context.loaders.contents.expect(task)
    return task


def _connection(listing: Listing, page: Page, shown: Sequence[tuple[KeyedRow, Message]]) -> MessageConnection:
    return MessageConnection(
        nodes=[message for _, message in shown],
        page_info=PageInfo.of(page, listing),
        rows=[row for row, _ in shown],
        listing=listing,
    )
