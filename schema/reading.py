"""One message or many, read from their authorities and shown only to those who may see them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chorale.context import Context
from chorale.domain.accounts import NO_LEAF, MessageAccount
from chorale.domain.approval import MessageStatus, may_see_message
from chorale.domain.content import StoredContent
from datasources.loaders import Expectation, MessageKey, MessageRead, ThreadRead, Token
from schema.message import Message


async def read_message(context: Context, key: MessageKey) -> Message | None:
    """The message of `key`; None where absent or not visible to the viewer."""
    return (await read_messages(context, [key]))[0]


async def read_messages(
    context: Context,
    keys: Sequence[MessageKey],
    *,
    bodies: bool = False,
    titles: bool = False,
    expectation: Expectation | None = None,
) -> list[Message | None]:
    """Messages in the order of `keys`; None where absent or not visible, which the accounts decide.

    With `bodies` the texts are read along, with `titles` those of the threads, in one call with whatever `expectation`
    has held back.
    """
    if not keys:
        return []
    loaders = context.loaders
    token = await loaders.token()
    if context.wallet is not None:
        loaders.want_time()
    reads = await loaders.messages(keys)
    shown = [None if read is None else message_view(context, *read, token) for read in reads]
    absent = [key for key, read in zip(keys, reads, strict=True) if read is None]
    staged = await _staged_keys(context, absent)
    visible = [message.key for message in shown if message is not None] if bodies else []
    threads = {key.thread_id for key in (*staged, *[m.key for m in shown if m is not None])} if titles else set()
    owners = [owner for owner in await loaders.threads(sorted(threads)) if owner is not None]
    waiting = [loaders.body(key) for key in (*staged, *visible)] + [loaders.title(owner.account) for owner in owners]
    if expectation is not None:
        expectation.release()
    await asyncio.gather(*waiting)
    own = {key: await _staged_view(context, key, token) for key in staged}
    return [message or own.get(key) for key, message in zip(keys, shown, strict=True)]


def message_view(
    context: Context, thread: ThreadRead, message: MessageRead, token: Token, *, viewer: str | None = None
) -> Message | None:
    """The message as `viewer`, or else the context's, may see it; None where the accounts say that they may not."""
    if not may_see_message(message.account, thread.account, viewer or context.wallet):
        return None
    return Message(context=context, account=message.account, owner=thread, token=token, read_slot=message.slot)


async def _staged_keys(context: Context, keys: Sequence[MessageKey]) -> list[MessageKey]:
    """Those of `keys` that the index knows as staged; an anonymous caller sees none of them."""
    if context.wallet is None:
        return []
    known = [(key, await context.index.thread_of(key.content_hash)) for key in keys]
    return [key for key, found in known if found == (key.thread_id, MessageStatus.STAGED)]


async def _staged_view(context: Context, key: MessageKey, token: Token) -> Message | None:
    """What the viewer has staged under `key`: bytes without an account; None where they are not the viewer's."""
    stored = (await context.loaders.body(key)).stored
    if stored is None or stored.status is not MessageStatus.STAGED or stored.author != context.wallet:
        return None
    thread = await context.loaders.thread(key.thread_id)
    return None if thread is None else staged_view(context, thread, stored, token)


def staged_view(context: Context, thread: ThreadRead, stored: StoredContent, token: Token) -> Message:
    """A message that is not on chain: what its point says, in the shape of an account."""
    address = context.addresses.message(thread.account.address, stored.key.hash)
    account = MessageAccount(
        address=address,
        thread=thread.account.address,
        author=stored.author,
        status=MessageStatus.STAGED,
        content_hash=stored.key.hash,
        body_hash="",
        nonce=stored.nonce,
        stake=stored.stake,
        escrow_remaining=0,
        share=0,
        submitted_at=0,
        expires_at=0,
        decided_at=0,
        submitted_sequence=0,
        sequence=0,
        leaf_index=NO_LEAF,
        votes=(),
    )
    return Message(context=context, account=account, owner=thread, token=token, read_slot=thread.slot)
