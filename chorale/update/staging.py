"""Bytes that come with a transaction, kept before the chain knows of them and let go of once it never will."""

from __future__ import annotations

import time
from contextlib import suppress

from chorale.domain.content import Content, ContentKind, ContentState, StoredContent
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import ContentStore
from chorale.domain.updates import RefusedError
from chorale.limits import Limits
from chorale.projector import Projector
from chorale.update.acceptance import Accepted
from chorale.update.log import UpdateFacts
from chorale.update.refusals import too_many_staged


class Staging:
    """Writes to `content`, and tells the projector what is listed for its author."""

    def __init__(self, content: ContentStore, projector: Projector, limits: Limits) -> None:
        self._content = content
        self._projector = projector
        self._limits = limits

    async def keep(self, accepted: Accepted) -> int:
        """Keep the bytes, for their author only, until the chain knows of them or the lease has passed, whose end
        (unix s) is returned; 0 where there are none. Raises RefusedError where the author has too many kept already."""
        if accepted.content is None:
            return 0
        if accepted.landed is None:
            await self._check_room(accepted.content)
        lease_until = int(time.time()) + self._limits.staged_lease
        stored = await self._stored(accepted, accepted.content, lease_until)
        await self._projector.note_staged(stored)
        return stored.lease_until

    async def let_go(self, facts: UpdateFacts) -> None:
        """The transaction can no longer land: its bytes are not kept for a day. A lease that nobody has extended since
        ends after a while in which another transaction may still name them."""
        if facts.staged is not None:
            lease_until = min(facts.lease_until, int(time.time()) + self._limits.staged_grace)
            with suppress(AuthorityUnavailableError):  # then the lease passes by itself
                await self._content.end_lease(facts.staged, found=facts.lease_until, lease_until=lease_until)

    async def _stored(self, accepted: Accepted, content: Content, lease_until: int) -> StoredContent:
        """Bytes that come with their own transaction are as well proven as those that are supplied again."""
        now = int(time.time())
        if accepted.landed is not None:
            return await self._content.restore(content, lease_until=lease_until, now=now)
        try:
            return await self._content.stage(content, lease_until=lease_until)
        except AuthorityUnavailableError:
            if (await self._content.fetch([content.key]))[content.key].state is not ContentState.QUARANTINED:
                raise
            return await self._content.restore(content, lease_until=lease_until, now=now)

    async def _check_room(self, content: Content) -> None:
        most = self._limits.staged_per_author
        if await self._content.staged_by(content.author) < most:
            return
        if (await self._content.fetch([content.key]))[content.key].stored is None:
            # createThread's result has no NotAllowedNow.
            named = content.key.kind is ContentKind.TITLE
            raise RefusedError(too_many_staged(most, "TransactionRejected" if named else "NotAllowedNow"))
