"""Supplying bytes again: whoever has them may, because the hash on chain proves them.

The text is stored, promoted with vectors from the account as it is, read back, and told to the thread's subscribers
once. What is interrupted in between is finished by the same call again: the point itself says when it was restored.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from chorale.domain.accounts import MessageAccount, ThreadAccount
from chorale.domain.approval import may_see_message
from chorale.domain.availability import AlwaysAvailable, Availability
from chorale.domain.commands import RestoreContent, RestoredContent
from chorale.domain.conflict import Settlement
from chorale.domain.content import (
    MAX_BODY_BYTES,
    MAX_TITLE_BYTES,
    Content,
    ContentKey,
    ContentKind,
    ContentState,
    StoredContent,
    body_problem,
)
from chorale.domain.errors import StaleReadError
from chorale.domain.ports import Chain, ContentStore, Embedder, IndexReader
from chorale.domain.updates import Authority, Refusal, RefusedError
from chorale.limits import Limits
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.accounts import Owned, read_owned
from chorale.reconciliation.resolution import message_key, subject_of
from chorale.reconciliation.restored import tell_restored
from chorale.reconciliation.sightings import content_conflict
from chorale.update.admission import check_client_mutation_id
from chorale.update.comparison import compare_content, compare_title
from chorale.update.refusals import content_mismatch, invalid_input, not_found, refusals_as_data
from programs import identity

_SUPPLIED = "The bytes were supplied again and match their hash."


class Restoration:
    """Runs `restoreContent`."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        embedder: Embedder,
        index: IndexReader,
        projector: Projector,
        reconciler: Reconciler,
        limits: Limits,
        availability: Availability | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._chain = chain
        self._content = content
        self._embedder = embedder
        self._index = index
        self._projector = projector
        self._reconciler = reconciler
        self._limits = limits
        self._availability = availability or AlwaysAvailable()
        self._now = now

    @refusals_as_data
    async def run(self, command: RestoreContent, viewer: str | None) -> RestoredContent:
        """Restore what `command` names. `viewer` decides only how much a refusal says: of a message that they may not
        see it tells nothing, unless the bytes are the right ones."""
        problem = _input_problem(command) or check_client_mutation_id(command.client_mutation_id)
        if problem is not None:
            raise RefusedError(problem)
        self._availability.check(Authority.SOLANA, Authority.QDRANT)
        owned = await self._owned(command)
        content = _proven(command, owned, viewer)
        before = (await self._content.fetch([content.key]))[content.key]
        now = int(self._now())
        lease_until = now + self._limits.staged_lease
        stored = before.stored or await self._content.restore(content, lease_until=lease_until, now=now)
        owned = await self._promoted(owned, content.key)
        cursor = await tell_restored(self._projector, owned, stored)
        conflict = content_conflict(content.key, before.state)
        if conflict is not None:
            self._reconciler.record(conflict, Settlement.RESOLVED, _SUPPLIED)
        self._reconciler.healed(subject_of(content.key), _SUPPLIED)
        thread, message = _entities(owned, content.key)
        restored = before.state is not ContentState.AVAILABLE
        return RestoredContent(thread, message, owned.slot, restored, cursor, command.client_mutation_id)

    async def _owned(self, command: RestoreContent) -> Owned:
        """Thread and message as the chain has them. Raises RefusedError where it has none."""
        thread_id, hashes = command.thread_id, []
        if command.content_hash is not None:
            found = await self._index.thread_of(command.content_hash)
            thread_id, hashes = (None if found is None else found[0]), [command.content_hash]
        if thread_id is None:
            raise RefusedError(not_found("message"))
        owned = await read_owned(self._chain, thread_id, hashes)
        if owned.thread is None or (hashes and not owned.messages):
            raise RefusedError(not_found("message" if hashes else "thread"))
        return owned

    async def _promoted(self, owned: Owned, key: ContentKey) -> Owned:
        """Promote until the point, read back, says what the accounts say. Raises StaleReadError where it never does."""
        hashes = [key.hash] if key.kind is ContentKind.MESSAGE else []
        for _ in range(self._limits.verify_attempts + 1):
            await self._projector.refresh(key.thread_id, hashes)
            stored = (await self._content.fetch([key]))[key].stored
            owned = await read_owned(self._chain, key.thread_id, hashes, min_slot=owned.slot)
            if stored is not None and self._agrees(owned, stored):
                return owned
        raise StaleReadError("The restored content did not meet the chain's version while it was verified.")

    def _agrees(self, owned: Owned, stored: StoredContent) -> bool:
        thread, message = _entities(owned, stored.key)
        if message is None:
            found = compare_title(thread, stored)
        else:
            found = compare_content(thread, message, stored, self._embedder.fingerprint)
        return found.gap == 0 and found.conflict is None


def _input_problem(command: RestoreContent) -> Refusal | None:
    if (command.content_hash is None) == (command.thread_id is None):
        return invalid_input("Name either a message by contentHash or a thread by threadId.", "contentHash")
    limit = MAX_TITLE_BYTES if command.content_hash is None else MAX_BODY_BYTES
    problem = body_problem(command.text, limit)
    return None if problem is None else invalid_input(problem, "text")


def _proven(command: RestoreContent, owned: Owned, viewer: str | None) -> Content:
    """The bytes under their key. Raises RefusedError where they are not those that the chain names."""
    thread = owned.thread
    assert thread is not None
    if command.content_hash is None:
        actual = identity.title_hash(command.salt, command.text)
        if actual != thread.title_hash:
            raise RefusedError(content_mismatch("text", thread.title_hash, actual, "the thread"))
        key = ContentKey(ContentKind.TITLE, thread.thread_id, actual)
        return Content(key, thread.creator, thread.nonce, command.salt, command.text)
    message = owned.messages[command.content_hash]
    actual = identity.body_hash(command.salt, command.text)
    if actual != message.body_hash:
        seen = may_see_message(message, thread, viewer)
        mismatch = content_mismatch("text", message.body_hash, actual, "the message")
        raise RefusedError(mismatch if seen else not_found("message"))
    key = message_key(thread.thread_id, message.content_hash)
    return Content(key, message.author, message.nonce, command.salt, command.text, message.stake)


def _entities(owned: Owned, key: ContentKey) -> tuple[ThreadAccount, MessageAccount | None]:
    assert owned.thread is not None
    return owned.thread, owned.messages.get(key.hash) if key.kind is ContentKind.MESSAGE else None
