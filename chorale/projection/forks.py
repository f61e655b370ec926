"""Forks: what was derived from a branch that the chain has left is found, and handed to `reconcile`.

Derived state follows `confirmed`. A branch with confirmed transactions is left very rarely, and a chain that was put
back to an earlier state does the same. Three looks find it: transactions in the log are asked for again once the
finalized slot has passed them; where the cursor itself is not listed any more, the log is compared with the program's
history, back to where both agree; and threads whose account is below the index, or absent, are read again at
`finalized`. None believes one answer: a node may be behind. The protocol's part is looked at along with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chorale.announcements import Announcements
from chorale.domain.accounts import ThreadAccount
from chorale.domain.boundaries import AnnouncementKind
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause, Settlement
from chorale.domain.ports import Chain, Index
from chorale.domain.projection import LoggedTransaction
from chorale.domain.updates import Authority
from chorale.projection.garbage import as_away
from chorale.projection.lost_transactions import misplaced, unlisted
from chorale.projection.progress import ChainProgress
from chorale.projection.protocol_forks import ProtocolForks
from chorale.reconcile import Reconciler
from programs.accounts import decode_thread
from programs.addresses import ProgramAddresses

_log = logging.getLogger(__name__)

_EVENTS = 20_000  # newest events that one look goes through
_FINALITY = 150  # slots by which a cursor may have been ahead of what was final when the server stopped
_SECOND_LOOK = 1.0  # s before a transaction that is not known is asked for once more
_AT_ONCE = 16  # threads that wait for finality side by side
_ATTEMPTS = 5  # at having one thread reconciled; the verification of boundaries meets it again


@dataclass(frozen=True, slots=True)
class _Suspect:
    """Why a thread is suspected: a transaction in its log, or "" where its account was absent or below the index; and
    how often it was handed over in vain."""

    signature: str = ""
    attempts: int = 0


class ForkWatch:
    """Looks for what is not of the chain's final history. Raises what the chain's reads raise."""

    def __init__(
        self,
        chain: Chain,
        index: Index,
        progress: ChainProgress,
        reconciler: Reconciler,
        announcements: Announcements,
    ) -> None:
        self._chain = chain
        self._index = index
        self._progress = progress
        self._reconciler = reconciler
        self._announcements = announcements
        self._addresses = ProgramAddresses(chain.program_id)
        self._protocol = ProtocolForks(chain, index, reconciler, announcements)
        self._final: int | None = None  # everything that was logged up to this slot has been looked at
        self._doubt = False
        self._suspects: dict[str, _Suspect] = {}
        self._one = asyncio.Lock()

    def doubt(self) -> None:
        """The cursor is not of the program's history, as far as that is listed: nothing in the log is certain."""
        self._doubt = True

    def suspect(self, thread_ids: Iterable[str]) -> None:
        """Threads whose account is absent or below the index in a read that may be a node's that is behind."""
        for thread_id in thread_ids:
            self._suspects.setdefault(thread_id, _Suspect())

    async def look(self) -> Sequence[str]:
        """Hand over what is wrong for good, one look at a time: that of a connection which was lost may still be under
        way. Returns the threads that were corrected: they may be behind now."""
        async with self._one:
            return await self._look()

    async def _look(self) -> Sequence[str]:
        final = await self._chain.slot(Commitment.FINALIZED)
        if self._final is None:
            cursor = await self._index.chain_cursor()
            self._final = final if cursor is None else min(final, cursor.slot - _FINALITY)
        since = 0 if self._doubt else self._final
        known = await self._index.logged(since, _EVENTS)
        logged = [each for each in known if each.slot <= final]
        if self._doubt:
            doubtful = await unlisted(self._chain, self._chain.program_id, logged)
        else:
            doubtful = await self._doubtful(logged)
        protocol = await self._protocol.doubtful(since, final, in_doubt=self._doubt)
        if doubtful or protocol:
            await asyncio.sleep(_SECOND_LOOK)
            for each in await self._doubtful(doubtful):
                self._suspects[each.thread_id] = _Suspect(each.signature)
            await self._protocol.confirm(protocol)
        self._doubt = self._doubt and len(logged) < len(known)
        self._final = max(self._final, final)
        await self._protocol.settle(final)
        return await self._settle(final) if self._suspects else ()

    async def _doubtful(self, logged: Sequence[LoggedTransaction]) -> list[LoggedTransaction]:
        """Those that the history does not have, or not at the place where they were logged."""
        return [each for each in await misplaced(self._chain, logged) if await self._is_elsewhere(each)]

    async def _is_elsewhere(self, logged: LoggedTransaction) -> bool:
        record = await self._chain.transaction(logged.signature)
        settled = await self._index.settled(logged.thread_id, logged.signature)
        if record is None or settled is None:
            return settled is not None
        address = self._addresses.thread(logged.thread_id)
        last = max((event.sequence for event in record.events if event.thread == address), default=0)
        return last != settled.position.sequence

    async def _settle(self, final: int) -> list[str]:
        found = [
            (conflict, suspect)
            for thread_id, suspect in list(self._suspects.items())
            if (conflict := await self._conflict(thread_id, suspect.signature, final)) is not None
        ]
        if not found:
            return []
        detail = f"{len(found)} threads were derived from a branch that the chain has left by slot {final}."
        _log.warning(detail)
        self._announcements.announce(AnnouncementKind.CHAIN_FORKED, detail, authority=Authority.SOLANA)
        places = asyncio.Semaphore(_AT_ONCE)

        async def is_corrected(conflict: Conflict, suspect: _Suspect) -> bool:
            async with places:
                record = await self._reconciler.settle(conflict)
            if record.settlement is Settlement.FAILED and suspect.attempts + 1 < _ATTEMPTS:
                self._suspects[conflict.thread_id] = replace(suspect, attempts=suspect.attempts + 1)
                return False
            del self._suspects[conflict.thread_id]
            self._progress.forget([suspect.signature])
            return True

        corrected = await asyncio.gather(*(is_corrected(*each) for each in found))
        return [conflict.thread_id for (conflict, _), is_done in zip(found, corrected, strict=True) if is_done]

    async def _conflict(self, thread_id: str, signature: str, final: int) -> Conflict | None:
        """What is wrong with a thread; None where nothing is, or where the chain has not come that far yet."""
        known = await self._index.progress(thread_id)
        if not signature and known.slot > final:
            return None  # it stays suspected until the final history has passed what the index says
        slot, account = await self._read(thread_id, final)
        if not signature and (known.sequence == 0 or (account is not None and account.sequence >= known.sequence)):
            del self._suspects[thread_id]
            return None
        expected = "no such thread" if account is None else f"sequence {account.sequence}"
        found = f"sequence {known.sequence}"
        if signature:
            found += f", with transaction {signature}, which the final history does not have there"
        return Conflict(
            ConflictCause.INDEX_WRONG, f"Thread:{thread_id}", thread_id, expected, found, slot, known.sequence
        )

    async def _read(self, thread_id: str, final: int) -> tuple[int, ThreadAccount | None]:
        address = self._addresses.thread(thread_id)
        read = await self._chain.accounts([address], min_context_slot=final, commitment=Commitment.FINALIZED)
        data = read.accounts[0]
        if data is None or data.owner != self._chain.program_id:
            return read.slot, None
        with as_away():
            return read.slot, decode_thread(address, data.data)
