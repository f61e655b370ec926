"""restoreContent: input, result and resolver."""

from __future__ import annotations

from typing import Annotated

import strawberry

from chorale.context import Context, Info
from chorale.domain.commands import RestoreContent, RestoredContent
from chorale.domain.updates import Refusal
from datasources.loaders import MessageRead, ThreadRead
from resolvers.mutations.running import CLIENT_MUTATION_ID
from schema.fields import resolved
from schema.message import Message
from schema.problems import AuthorityUnavailable, ContentMismatch, InvalidInput, NotFound, Problem, problem_of
from schema.reading import message_view
from schema.scalars import Cursor, Hash
from schema.thread import Thread


@strawberry.input(description="The text of a message, or the title of a thread: name exactly one of the two.")
class RestoreContentInput:
    """Text and salt must hash to what the chain says."""

    content_hash: Hash | None = strawberry.field(default=None, description="The message whose body it is.")
    thread_id: Hash | None = strawberry.field(default=None, description="The thread whose title it is.")
    text: str = strawberry.field(description="The body or title, exactly as its author hashed it.")
    salt: Hash = strawberry.field(description="The salt that it was hashed with.")
    client_mutation_id: str | None = strawberry.field(default=None, description=CLIENT_MUTATION_ID)


@strawberry.type(description="The text is there, read back and equal to its hash.")
class RestoreContentSuccess:
    """The entities as read after it."""

    thread: Thread = strawberry.field(description="The thread as it is now.")
    message: Message | None = strawberry.field(
        description="The message as it is now; null where it was a title, or where the viewer may not see it."
    )
    restored: bool = strawberry.field(description="False where the right text had been there before.")
    cursor: Cursor | None = strawberry.field(
        description="The event cursor behind the ContentRestored that tells of it; null where none was logged now."
    )
    client_mutation_id: str | None = strawberry.field(description="As it was sent.")

    @classmethod
    async def of(cls, context: Context, done: RestoredContent) -> RestoreContentSuccess:
        """From here on this operation reads nothing older than `done`."""
        loaders = context.loaders = context.fresh_loaders(min_slot=done.slot)
        token = await loaders.token()
        thread = ThreadRead(done.thread, done.slot)
        loaders.prime_thread(thread)
        message = None
        if done.message is not None:
            read = MessageRead(done.message, done.slot)
            loaders.prime_message(read)
            message = message_view(context, thread, read, token)
        return cls(
            thread=Thread(context=context, read=thread, token=token),
            message=message,
            restored=done.restored,
            cursor=None if done.cursor is None else Cursor(done.cursor),
            client_mutation_id=done.client_mutation_id,
        )


RestoreContentResult = Annotated[
    RestoreContentSuccess | ContentMismatch | NotFound | InvalidInput | AuthorityUnavailable,
    strawberry.union("RestoreContentResult", description="What restoreContent did, or why it did not."),
]


@strawberry.type
class RestoreContentMutation:
    """Field of Mutation."""

    @resolved(
        "Supply a text that is MISSING or QUARANTINED. Anybody may, signed in or not: the hash on chain proves it, and "
        "no other text is taken. Returns once it is stored, searchable and read back; subscribers of the thread get a "
        "ContentRestored, once. Sending the same again is safe, and a text that is there already changes nothing. Of a "
        "message that is not visible to the caller nothing is told, unless the text is the right one."
    )
    async def restore_content(
        self,
        info: Info,
        input: Annotated[RestoreContentInput, strawberry.argument(description="The text and whose it is.")],
    ) -> RestoreContentResult:
        context = info.context
        command = RestoreContent(input.text, input.salt, input.content_hash, input.thread_id, input.client_mutation_id)
        done = await context.restoration.run(command, context.wallet)
        if isinstance(done, Refusal):
            problem: Problem = await problem_of(context, done)
            return problem  # type: ignore[return-value]  # one of the union's
        return await RestoreContentSuccess.of(context, done)
