"""What the mutations that carry a signed transaction share: run the update to its end, then show what may be shown."""

from __future__ import annotations

from typing import TypeVar

from chorale.context import Context, Info
from chorale.domain.approval import may_see_message
from chorale.domain.commands import Command, PostMessage, SubmitMessage, UpdateResult
from chorale.domain.errors import AuthorityUnavailableError, ForbiddenError
from chorale.domain.updates import Authority, Refusal
from schema.message import Message
from schema.problems import Problem, problem_of
from schema.settled import Settled, settled
from schema.thread import Thread

T = TypeVar("T")

SIGNED_TRANSACTION = "What `prepare` returned, signed by every wallet that it names."
CLIENT_MUTATION_ID = "Comes back unchanged in the update."
IDEMPOTENCY_KEY = (
    "At most 128 characters, kept for a day. The same wallet, mutation, key and content get the stored result; another "
    "content gets an IdempotencyConflict. Without a key the transaction's signature serves."
)
PROMISE = (
    "Returns once Solana has confirmed it, everything derived has followed and all of it has been read back "
    "(VERIFIED): whoever queries this server from then on, search included, sees it. CONFIRMED says that the rest is "
    "still under way, UNKNOWN that the chain has not answered in time; `stateUpdate` tells how it ends. A Problem says "
    "that nothing has changed. Sending the same again is safe."
)


async def run(info: Info, command: Command) -> Settled | Problem:
    """Run `command`; an update that has begun goes on where the caller leaves meanwhile.

    Raises ForbiddenError where it ran, but its message is not for the caller to see.
    """
    context = info.context
    result = await context.updates.run(command)
    if isinstance(result, Refusal):
        return await problem_of(context, result)
    if not _acts_for_its_wallet(context, command, result) and not _visible(context, result):
        raise ForbiddenError(
            f"The update {result.update.signature} is {result.update.outcome}. Its message is not visible to you: "
            "sign in as the wallet that signed it."
        )
    return await settled(context, result)


def message_of(shown: Settled) -> Message:
    """The message of a Success. Raises AuthorityUnavailableError where the outcome is unknown and nothing is there."""
    return _known(shown, shown.message)


def thread_of(shown: Settled) -> Thread:
    """The thread of a Success about a thread that existed before. Raises as `message_of`."""
    return _known(shown, shown.thread)


def _known(shown: Settled, entity: T | None) -> T:
    if entity is None:
        raise AuthorityUnavailableError(
            Authority.SOLANA, f"What became of {shown.update.signature} is not known yet: ask stateUpdate for it."
        )
    return entity


def _acts_for_its_wallet(context: Context, command: Command, result: UpdateResult) -> bool:
    """Whether the caller may see what the wallet sees: signed in as it, or having brought the text itself.

    A signature proves nothing: whoever reads the chain, or pays the fee, holds the transaction as well.
    """
    return context.wallet == result.wallet or isinstance(command, PostMessage | SubmitMessage)


def _visible(context: Context, result: UpdateResult) -> bool:
    if result.content_hash is None:
        return True
    if result.message is None or result.thread is None:
        return False
    return may_see_message(result.message, result.thread, context.wallet)
