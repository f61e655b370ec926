"""What operators hear: a bounded log of everything that happened at the boundaries, and those who listen to it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable

from chorale.domain.availability import AuthorityHealth, Health
from chorale.domain.boundaries import Announcement, AnnouncementKind
from chorale.domain.conflict import ConflictRecord
from chorale.domain.updates import Authority


class Announcements:
    """Kept in memory, the newest `log` of them. A listener that is `queue` behind loses its oldest, and sees that by
    the numbers, which are contiguous. `id` tells this log from that of any other process."""

    def __init__(self, log: int, queue: int, now: Callable[[], float] = time.time) -> None:
        self.id = secrets.token_hex(8)
        self._log: deque[Announcement] = deque(maxlen=log)
        self._queue = queue
        self._now = now
        self._number = 0
        self._listeners: set[asyncio.Queue[Announcement]] = set()

    def announce(
        self,
        kind: AnnouncementKind,
        detail: str,
        *,
        authority: Authority | None = None,
        conflict: ConflictRecord | None = None,
    ) -> Announcement:
        """Log it and tell everyone who listens; never waits."""
        self._number += 1
        made = Announcement(self._number, self._now(), kind, detail, authority, conflict)
        self._log.append(made)
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(made)
        return made

    def turned(self, before: AuthorityHealth, now: AuthorityHealth) -> None:
        """Announce that an authority does better or worse; `now` carries why."""
        name = now.authority.value
        if now.health.is_lost:
            how = "is down" if now.health is Health.DOWN else "lives in the past"
            self.announce(AnnouncementKind.AUTHORITY_LOST, f"{name} {how}: {now.reason}.", authority=now.authority)
        elif now.health is Health.DEGRADED:
            self.announce(
                AnnouncementKind.AUTHORITY_DEGRADED, f"{name} does badly: {now.reason}.", authority=now.authority
            )
        else:
            lasted = f"{name} does well again after {now.since - before.since:.1f} s."
            self.announce(AnnouncementKind.AUTHORITY_RECOVERED, lasted, authority=now.authority)

    @property
    def newest(self) -> int:
        """Number of the newest; 0 before the first."""
        return self._number

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def recent(self) -> tuple[Announcement, ...]:
        """The log, oldest first."""
        return tuple(self._log)

    async def listen(self) -> AsyncGenerator[Announcement, None]:
        """Everything from the first `anext` on."""
        queue: asyncio.Queue[Announcement] = asyncio.Queue(self._queue)
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)
