"""What a mutation's payload shows: the entities as the update sequence read them, nothing older beside them."""

from __future__ import annotations

from dataclasses import dataclass

from chorale.context import Context
from chorale.domain.commands import UpdateResult
from datasources.loaders import MessageKey, MessageRead, ThreadRead
from schema.message import Message
from schema.reading import message_view, read_message
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


async def settled(context: Context, result: UpdateResult) -> Settled:
    """Views of `result`. From here on this operation reads nothing older than `result.slot`.

    Raises AuthorityUnavailableError where Solana went away before the token or a missing account could be read.
    """
    loaders = context.loaders = context.fresh_loaders(min_slot=result.slot or None)
    token = await loaders.token()
    thread: ThreadRead | None
    if result.thread is not None:
        thread = ThreadRead(result.thread, result.slot)
        loaders.prime_thread(thread)
    else:
        thread = await loaders.thread(result.thread_id)
    message: Message | None = None
    if thread is not None and result.content_hash is not None:
        if result.message is not None:
            read = MessageRead(result.message, result.slot)
            loaders.prime_message(read)
            message = message_view(context, thread, read, token)
        else:
            message = await read_message(context, MessageKey(result.thread_id, result.content_hash))
    return Settled(
        update=StateUpdate.of(result.update),
        wallet=User.of(context, result.wallet),
        thread=None if thread is None else Thread(context=context, read=thread, token=token),
        message=message,
    )
