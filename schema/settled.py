"""What a mutation's payload shows: the entities as the update sequence read them, nothing older beside them."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.context import Context
from chorale.domain.commands import UpdateResult
from datasources.loaders import MessageKey, MessageRead, ThreadRead, Token
from schema.message import Message
from schema.reading import message_view, staged_view
from schema.thread import Thread
from schema.update import StateUpdate
from schema.user import User


@dataclass(frozen=True, slots=True)
class Settled:
    """Views for a Success payload. `thread` and `message` are None where an UNKNOWN outcome left nothing to show."""

    update: StateUpdate
    wallet: User
    thread: Thread | None
    message: Message | None


async def settled(context: Context, result: UpdateResult, *, viewer: str | None) -> Settled:
    """Views of `result`, the message as `viewer` may see it: whether the caller may act as that wallet is decided
    before.

    From here on this operation reads nothing older than `result.slot`. Raises AuthorityUnavailableError where Solana
    went away before the token or a missing account could be read.
    """
    loaders = context.loaders = context.fresh_loaders(min_slot=result.slot or None)
    token = await loaders.token()
    if result.thread is not None:
        loaders.prime_thread(ThreadRead(result.thread, result.slot))
    if result.message is not None:
        loaders.prime_message(MessageRead(result.message, result.slot))
    thread = None if result.thread_id is None else await loaders.thread(result.thread_id)
    return Settled(
        update=StateUpdate.of(result.update),
        wallet=User.of(context, result.wallet),
        thread=None if thread is None else Thread(context=context, read=thread, token=token),
        message=None if thread is None else await _message(context, result, thread, token, viewer),
    )


async def _message(
    context: Context, result: UpdateResult, thread: ThreadRead, token: Token, viewer: str | None
) -> Message | None:
    if result.content_hash is None:
        return None
    key = MessageKey(thread.account.thread_id, result.content_hash)
    read = await context.loaders.message(key)
    if read is not None:
        return message_view(context, *read, token, viewer=viewer)
    stored = (await context.loaders.body(key)).stored
    if stored is None or stored.author != viewer:
        return None
    return staged_view(context, thread, stored, token)
