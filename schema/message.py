"""A message: who owns it comes from its account, what it says from the content store."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import strawberry

from chorale.context import Context
from chorale.domain import approval
from chorale.domain.accounts import NO_LEAF, MessageAccount
from chorale.domain.content import FetchedContent
from chorale.domain.errors import StaleReadError
from datasources.loaders import MessageKey, ThreadRead, Token
from programs import merkle
from schema.enums import Commitment, ContentState, MessageStatus
from schema.escrow import EscrowShare, refund_of, shares_of
from schema.fields import resolved
from schema.node import Node
from schema.proof import ContentProof
from schema.scalars import U64, DateTime, Hash, Pubkey, Slot, Version
from schema.token import TokenAmount
from schema.user import User
from schema.vote import Vote

if TYPE_CHECKING:
    from schema.thread import Thread


@strawberry.type(
    description="A message of a thread. Published ones are for everyone; pending and finished ones for their author, "
    "the co-authors and whoever voted; staged ones for their author alone."
)
class Message(Node):
    """Wraps the account without copying it. Bodies of a page are loaded with the page, so most fields never wait."""

    context: strawberry.Private[Context]
    account: strawberry.Private[MessageAccount]
    owner: strawberry.Private[ThreadRead]
    token: strawberry.Private[Token]
    read_slot: strawberry.Private[int]

    @resolved("`Message:<contentHash>`.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Message:{self.account.content_hash}")

    @resolved("Identity of the message: a hash over thread, author, nonce and the hash of the salted body.")
    def content_hash(self) -> Hash:
        return Hash(self.account.content_hash)

    @resolved("The author's own number for this message; the same nonce makes the same identity.")
    def nonce(self) -> U64:
        return U64(self.account.nonce)

    @resolved(
        "32 random bytes that the body is hashed with, so that a short body cannot be guessed from its "
        "hash. Null where `body` is.",
        graphql_type=Hash | None,
    )
    def salt(self) -> Hash | Awaitable[Hash | None] | None:
        content = self._content()
        return _salt(content) if isinstance(content, FetchedContent) else _then_salt(content)

    @resolved("The message's account on chain.")
    def address(self) -> Pubkey:
        return Pubkey(self.account.address)

    @resolved("The thread it belongs to, of the same version.")
    def thread(self) -> Annotated[Thread, strawberry.lazy("schema.thread")]:
        from schema.thread import Thread  # threads and messages name each other

        return Thread(context=self.context, read=self.owner, token=self.token)

    @resolved("Who wrote it.")
    def author(self) -> User:
        return User.of(self.context, self.account.author)

    @resolved(
        "The text, exactly as its author hashed it. Null unless `contentState` is AVAILABLE.",
        graphql_type=str | None,
    )
    def body(self) -> str | Awaitable[str | None] | None:
        content = self._content()
        return _body(content) if isinstance(content, FetchedContent) else _then_body(content)

    @resolved("Whether the text can be served.", graphql_type=ContentState)
    def content_state(self) -> ContentState | Awaitable[ContentState]:
        content = self._content()
        return content.state if isinstance(content, FetchedContent) else _then_state(content)

    @resolved("Where the message stands.")
    def status(self) -> MessageStatus:
        return self.account.status

    @resolved(
        "What the author put down with it; 0 for a co-author's post. While STAGED: the stake in the "
        "transaction, 0 where there is none yet."
    )
    def stake(self) -> TokenAmount:
        return TokenAmount.of(self.account.stake, self.token)

    @resolved("What the thread's vault still holds for payouts of this finished message.")
    def escrow_remaining(self) -> TokenAmount:
        return TokenAmount.of(self.account.escrow_remaining, self.token)

    @resolved("What each denier of a denied message may claim, or has claimed; empty for any other.")
    def escrow_shares(self) -> list[EscrowShare]:
        return shares_of(self.context, self.account, self.token)

    @resolved("What its author may still have back of an expired or cancelled message; 0 for any other.")
    def escrow_refund(self) -> TokenAmount:
        return TokenAmount.of(refund_of(self.account), self.token)

    @resolved("When it came on chain. Null only while STAGED.")
    def submitted_at(self) -> DateTime | None:
        return None if self.account.status is MessageStatus.STAGED else DateTime(self.account.submitted_at)

    @resolved("The thread's version that brought it on chain. Null only while STAGED.")
    def submitted_version(self) -> Version | None:
        return None if self.account.status is MessageStatus.STAGED else Version(self.account.submitted_sequence)

    @resolved("Until when a pending message can be voted on; null for any other.")
    def expires_at(self) -> DateTime | None:
        return DateTime(self.account.expires_at) if self.account.status is MessageStatus.PENDING else None

    @resolved("When it left PENDING, or was posted; null before.")
    def decided_at(self) -> DateTime | None:
        return DateTime(self.account.decided_at) if self.account.decided_at else None

    @resolved("Votes in the order in which they were cast.")
    def votes(self) -> list[Vote]:
        return [Vote.of(self.context, vote) for vote in self.account.votes]

    @resolved(
        "Co-authors whose votes the decision rests on: all who are present now, but the author. "
        "Empty once the message is decided."
    )
    def required_voters(self) -> list[User]:
        voters = approval.required_voters(self.account, self.owner.account)
        return [User.of(self.context, voter) for voter in voters]

    @resolved("Whether the program would take the viewer's vote now.", graphql_type=bool)
    def viewer_can_vote(self) -> bool | Awaitable[bool]:
        now = self.context.loaders.time_read()
        if now is not None:
            return self._can_vote(now)
        return self._then_can_vote() if self._can_vote(0) else False

    @resolved("Whether something of this message is owed to the viewer: a denier's share, or the own stake.")
    def viewer_can_claim(self) -> bool:
        return approval.can_claim(self.account, self.context.wallet)

    @resolved("The version of its thread in this answer.")
    def version(self) -> Version:
        return Version(self.owner.account.sequence)

    @resolved("The lowest slot that this message and its thread were read at.")
    def slot(self) -> Slot:
        return Slot(min(self.read_slot, self.owner.slot))

    @resolved("How sure the cluster was of what was read.")
    def commitment(self) -> Commitment:
        return Commitment.CONFIRMED

    @resolved("Number among the thread's published messages, from 0; null for any other.")
    def leaf_index(self) -> int | None:
        return None if self.account.leaf_index == NO_LEAF else self.account.leaf_index

    @resolved(
        "Proof of publication against the root of this answer's version; null unless published.",
        graphql_type=ContentProof | None,
    )
    def proof(self) -> Awaitable[ContentProof] | None:
        return self._proof() if self.account.status is MessageStatus.PUBLISHED else None

    @property
    def key(self) -> MessageKey:
        """Names the message with its thread."""
        return MessageKey(self.owner.account.thread_id, self.account.content_hash)

    def _content(self) -> FetchedContent | Awaitable[FetchedContent]:
        loaders = self.context.loaders
        return loaders.body_read(self.key) or loaders.body(self.key)

    def _can_vote(self, now: int) -> bool:
        return approval.can_vote(self.account, self.owner.account, self.context.wallet, now)

    async def _then_can_vote(self) -> bool:
        return self._can_vote(await self.context.loaders.now())

    async def _proof(self) -> ContentProof:
        account, index = self.owner.account, self.context.index
        leaf = self.account.leaf_index
        path = await index.merkle_path(account.thread_id, leaf, account.published_count)
        if path is None:
            await index.wait_for(account.thread_id, account.sequence, self.context.limits.min_version_wait)
            path = await index.merkle_path(account.thread_id, leaf, account.published_count)
        if path is None:
            raise StaleReadError("The index of this replica has not reached the account's tree. Ask again.")
        return ContentProof(
            root=Hash(account.content_root),
            leaf=Hash(merkle.leaf_hash(self.account.content_hash)),
            leaf_index=leaf,
            path=[Hash(sibling) for sibling in path],
            account=Pubkey(account.address),
            slot=Slot(self.owner.slot),
        )


def _salt(content: FetchedContent) -> Hash | None:
    return None if content.stored is None else Hash(content.stored.salt)


def _body(content: FetchedContent) -> str | None:
    return None if content.stored is None else content.stored.body


async def _then_salt(content: Awaitable[FetchedContent]) -> Hash | None:
    return _salt(await content)


async def _then_body(content: Awaitable[FetchedContent]) -> str | None:
    return _body(await content)


async def _then_state(content: Awaitable[FetchedContent]) -> ContentState:
    return (await content).state
