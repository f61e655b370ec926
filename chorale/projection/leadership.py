"""What a replica does as it gets and loses the lease of the content that all share."""

from __future__ import annotations

import asyncio
import logging

from chorale.announcements import Announcements
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.lease import Lease
from chorale.domain.ports import ContentStore, Index
from chorale.domain.updates import Authority
from chorale.projection.content_check import check_content
from chorale.projector import Projector

_log = logging.getLogger(__name__)

_AGAIN = 5.0  # s after a check of the content that failed


class Leadership:
    """Announces every change, and checks the content whenever the lease is taken: whoever held it may have left work
    behind."""

    def __init__(
        self, lease: Lease, content: ContentStore, index: Index, projector: Projector, announcements: Announcements
    ) -> None:
        self._lease = lease
        self._content = content
        self._index = index
        self._projector = projector
        self._announcements = announcements
        self._checked = False  # since the lease was taken

    async def check(self) -> None:
        """Bring listings of staged content up to the store, and as the holder of the lease derived payload up to the
        index."""
        mine = self._lease.held
        await check_content(self._content, self._index, self._projector, promoting=mine)
        self._checked = mine

    async def run(self) -> None:
        """Follow the lease until cancelled; begin once derived state has caught up."""
        held = False
        while True:
            if self._lease.held is not held:
                held = self._lease.held
                self._tell(held)
                self._checked = self._checked and held
            if held and not self._checked:
                await self._check_again()
                continue
            await self._lease.wait_for_change()

    async def _check_again(self) -> None:
        try:
            await self.check()
        except Exception as error:  # noqa: BLE001 -- an account that cannot be read must not end the watcher
            _log.warning("The content is checked again in %.0f s: %r", _AGAIN, error)
            await asyncio.sleep(_AGAIN)

    def _tell(self, held: bool) -> None:
        kind = AnnouncementKind.LEASE_TAKEN if held else AnnouncementKind.LEASE_LOST
        detail = "This replica writes shared content." if held else "This replica no longer writes shared content."
        _log.info(detail)
        self._announcements.announce(kind, detail, authority=Authority.BACKEND)
