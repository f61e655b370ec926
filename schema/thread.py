"""A thread: its account on chain, its title from the content store, its lists from the index."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.content import FetchedContent
from chorale.domain.cursors import event_cursor
from chorale.domain.events import BEHIND_VERSION
from datasources.loaders import MessageKey, ThreadRead, Token
from schema.arguments import After, Before, First, Last
from schema.enums import Commitment, ContentState, MessageStatus
from schema.fields import resolved
from schema.message import Message
from schema.node import Node
from schema.scalars import Cursor, DateTime, Hash, Pubkey, Slot, Version
from schema.token import TokenAmount
from schema.user import User

if TYPE_CHECKING:
    from schema.connections import EscrowConnection, MessageConnection


@strawberry.type(description="A present co-author: one of those who decide and who share the thread's balance.")
class CoAuthor:
    """An embedded value without an identity of its own."""

    user: User = strawberry.field(description="Who it is.")
    joined_version: Version = strawberry.field(description="The thread's version that made them a co-author.")


@strawberry.type(
    description="A thread, owned by its co-authors. `version` grows by one with every change on chain; everything that "
    "an answer says about a thread and its messages belongs to that one version."
)
class Thread(Node):
    """Wraps the account as read; `messages` waits until the index has reached it."""

    context: strawberry.Private[Context]
    read: strawberry.Private[ThreadRead]
    token: strawberry.Private[Token]

    @resolved("`Thread:<threadId>`.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Thread:{self.read.account.thread_id}")

    @resolved("Identity of the thread: a hash over its creator and the creator's nonce.")
    def thread_id(self) -> Hash:
        return Hash(self.read.account.thread_id)

    @resolved("The thread's account on chain.")
    def address(self) -> Pubkey:
        return Pubkey(self.read.account.address)

    @resolved("The title. Null unless `titleState` is AVAILABLE.", graphql_type=str | None)
    def title(self) -> str | Awaitable[str | None] | None:
        content = self._title()
        return _text(content) if isinstance(content, FetchedContent) else _then_text(content)

    @resolved("Whether the title can be served.", graphql_type=ContentState)
    def title_state(self) -> ContentState | Awaitable[ContentState]:
        content = self._title()
        return content.state if isinstance(content, FetchedContent) else _then_state(content)

    @resolved("Who made it.")
    def creator(self) -> User:
        return User.of(self.context, self.read.account.creator)

    @resolved("When it was made.")
    def created_at(self) -> DateTime:
        return DateTime(self.read.account.created_at)

    @resolved("When something was last posted, submitted, voted on or decided.")
    def last_activity_at(self) -> DateTime:
        return DateTime(self.read.account.activity_at)

    @resolved("Present co-authors in the order in which they joined, 1 to 64.")
    def co_authors(self) -> list[CoAuthor]:
        return [
            CoAuthor(user=User.of(self.context, co_author.key), joined_version=Version(co_author.joined_sequence))
            for co_author in self.read.account.co_authors
        ]

    @resolved("What the co-authors own together.")
    def token_balance(self) -> TokenAmount:
        return TokenAmount.of(self.read.account.token_balance, self.token)

    @resolved("Stakes of pending messages, held in the thread's vault.")
    def stakes_total(self) -> TokenAmount:
        return TokenAmount.of(self.read.account.stakes_total, self.token)

    @resolved("What finished messages still owe to deniers and authors.")
    def escrow_total(self) -> TokenAmount:
        return TokenAmount.of(self.read.account.escrow_total, self.token)

    @resolved("What is owed to the treasury and has not been swept yet.")
    def treasury_due(self) -> TokenAmount:
        return TokenAmount.of(self.read.account.treasury_due, self.token)

    @resolved("Messages ever posted or submitted, whatever became of them.")
    def message_count(self) -> int:
        return self.read.account.message_count

    @resolved("Messages that await a decision.")
    def pending_count(self) -> int:
        return self.read.account.pending_count

    @resolved("Root of the Merkle tree over the published messages.")
    def content_root(self) -> Hash:
        return Hash(self.read.account.content_root)

    @resolved("How often the thread has changed on chain.")
    def version(self) -> Version:
        return Version(self.read.account.sequence)

    @resolved("The slot of the chain that it was read at.")
    def slot(self) -> Slot:
        return Slot(self.read.slot)

    @resolved("How sure the cluster was of what was read.")
    def commitment(self) -> Commitment:
        return Commitment.CONFIRMED

    @resolved("Subscribe to `threadEvents` after this cursor: nothing is missing between this answer and the stream.")
    async def event_cursor(self) -> Cursor:
        account = self.read.account
        position = await self.context.index.latest(account.thread_id)
        if position.sequence > account.sequence:
            # The log has gone on since: the place behind everything that belongs to this version.
            position = replace(position, position=0, sequence=account.sequence, ordinal=BEHIND_VERSION)
        return Cursor(event_cursor(position))

    @resolved("Whether the viewer is a present co-author.")
    def viewer_is_co_author(self) -> bool:
        return self.read.account.has_co_author(self.context.wallet)

    @resolved(
        "Messages that the viewer may see, oldest first, STAGED ones last. Neither `first` nor `last` "
        "means the last 20. Null only with an error, when an authority is away.",
        graphql_type=Annotated["MessageConnection", strawberry.lazy("schema.connections")] | None,
    )
    def messages(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            list[MessageStatus] | None, strawberry.argument(description="Only messages that stand so.")
        ] = None,
    ) -> Awaitable[MessageConnection]:
        from schema.listings import THREAD_MESSAGES, list_thread_messages  # threads and lists name each other

        request = THREAD_MESSAGES.request(
            self.context.limits, first=first, after=after, last=last, before=before, from_end=True
        )
        return list_thread_messages(self.context, info, self.read, request, tuple(status or ()))

    @resolved(
        "Finished messages that still owe something and that the viewer may see, in the order of their decisions: "
        "`escrowShares` and `escrowRefund` say to whom. Null only with an error, when an authority is away.",
        graphql_type=Annotated["EscrowConnection", strawberry.lazy("schema.connections")] | None,
    )
    def escrow(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Awaitable[EscrowConnection]:
        from schema.escrow_listing import THREAD_ESCROW, list_thread_escrow  # threads and lists name each other

        request = THREAD_ESCROW.request(self.context.limits, first=first, after=after, last=last, before=before)
        return list_thread_escrow(self.context, info, self.read, request)

    @resolved("One message of this thread; null where absent or not visible to the viewer.")
    async def message(
        self,
        content_hash: Annotated[Hash, strawberry.argument(description="Identity of the message.")],
    ) -> Message | None:
        from schema.reading import read_message  # threads and messages name each other

        return await read_message(self.context, MessageKey(self.read.account.thread_id, content_hash))

    def _title(self) -> FetchedContent | Awaitable[FetchedContent]:
        loaders, account = self.context.loaders, self.read.account
        return loaders.title_read(account) or loaders.title(account)


def _text(content: FetchedContent) -> str | None:
    return None if content.stored is None else content.stored.body


async def _then_text(content: Awaitable[FetchedContent]) -> str | None:
    return _text(await content)


async def _then_state(content: Awaitable[FetchedContent]) -> ContentState:
    return (await content).state
