"""Collecting staged bytes that nobody has put on chain before their lease passed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from chorale.domain.chain import Commitment
from chorale.domain.conflict import Settlement
from chorale.domain.content import ContentKind, ContentState, StoredContent
from chorale.domain.errors import ChoraleError
from chorale.domain.lease import Lease
from chorale.domain.ports import Chain, ContentStore
from chorale.projection.corrections import Corrections
from chorale.projection.garbage import as_away
from chorale.projector import Projector
from chorale.reconcile import Reconciler
from chorale.reconciliation.sightings import abandoned_conflict
from programs.accounts import decode_thread
from programs.addresses import ProgramAddresses

_log = logging.getLogger(__name__)

_INTERVAL = 600.0  # s
_CHUNK = 100

COLLECTED = "The bytes were deleted: a finalized read shows nothing that names them."


class StagingCollector:
    """Deletes what is still staged behind its lease, and only after a finalized read shows no account for it; the
    `reconciler`, where there is one, is told of each."""

    def __init__(
        self,
        chain: Chain,
        content: ContentStore,
        projector: Projector,
        corrections: Corrections,
        reconciler: Reconciler | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._chain = chain
        self._content = content
        self._projector = projector
        self._corrections = corrections
        self._reconciler = reconciler
        self._now = now
        self._addresses = ProgramAddresses(chain.program_id)

    async def run(self, lease: Lease) -> None:
        """Collect every ten minutes, while this replica holds the lease."""
        while True:
            await asyncio.sleep(_INTERVAL)
            if not lease.held:
                continue
            try:
                await self.collect()
            except ChoraleError as error:
                _log.warning("Staged content was not collected: %s", error)
            except Exception:  # noqa: BLE001 -- an account that cannot be read must not end the watcher
                _log.exception("Staged content was not collected")

    async def collect(self) -> int:
        """One round; how many points were deleted."""
        return await self.collect_among(await self._content.staged())

    async def collect_among(self, staged: Sequence[StoredContent]) -> int:
        """Of these points those whose lease has passed; how many were deleted."""
        now = int(self._now())
        passed = [content for content in staged if content.lease_until <= now]
        collected = 0
        for at in range(0, len(passed), _CHUNK):
            collected += await self._collect(passed[at : at + _CHUNK], now)
        return collected

    async def _collect(self, staged: Sequence[StoredContent], now: int) -> int:
        read = await self._chain.accounts([self._account(s) for s in staged], commitment=Commitment.FINALIZED)
        landed: list[StoredContent] = []
        abandoned: list[StoredContent] = []
        for content, account in zip(staged, read.accounts, strict=True):
            made = account is not None and account.owner == self._chain.program_id
            if made and content.key.kind is ContentKind.TITLE:
                assert account is not None
                with as_away():
                    made = decode_thread(account.address, account.data).title_hash == content.key.hash
            (landed if made else abandoned).append(content)
        for content in landed:  # on chain and still staged: a promotion was missed
            await self._projector.settle(content.key.thread_id)
        await self._projector.note_staged(*landed)
        keys = [content.key for content in abandoned]
        await self._corrections.staged(keys, now)
        fetched = await self._content.fetch(keys)
        gone = [key for key in keys if fetched[key].state is ContentState.MISSING]
        await self._projector.forget_staged([key.hash for key in gone if key.kind is ContentKind.MESSAGE])
        for content in abandoned:
            if self._reconciler is not None and fetched[content.key].state is ContentState.MISSING:
                self._reconciler.record(abandoned_conflict(content, read.slot), Settlement.RESOLVED, COLLECTED)
        return len(gone)

    def _account(self, content: StoredContent) -> str:
        thread = self._addresses.thread(content.key.thread_id)
        if content.key.kind is ContentKind.TITLE:
            return thread
        return self._addresses.message(thread, content.key.hash)
