"""The index against Solana: what is behind is projected, what is wrong is replaced by a finalized read."""

from __future__ import annotations

from collections.abc import Sequence

from chorale.checking.rows import is_hash, message_difference, thread_difference
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, Settlement
from chorale.domain.errors import IndexDivergedError, StaleReadError
from chorale.domain.kept import KeptMessage
from chorale.domain.ports import Chain, Index
from chorale.domain.projection import ThreadCorrection, ThreadProgress
from chorale.projection.corrections import Corrections
from chorale.projection.thread_changes import ThreadChanges
from chorale.projector import Projector
from chorale.reconciliation import protocol_rows
from chorale.reconciliation.accounts import Owned, read_owned
from chorale.reconciliation.resolution import Resolution, hash_of
from programs.addresses import ProgramAddresses

_ATTEMPTS = 5
_LOGGED = 256  # newest transactions of a thread's log that are looked for on chain


class IndexRows:
    """Brings one thread's rows, tree and log to what the chain says. Beside what became of it stand the hashes of
    messages whose rows were of a branch that the chain has left: their points are likely to be so too."""

    def __init__(self, chain: Chain, index: Index, projector: Projector, corrections: Corrections) -> None:
        self._chain = chain
        self._index = index
        self._projector = projector
        self._corrections = corrections
        self._protocol = protocol_rows.ProtocolRows(chain, index, projector, corrections)
        self._changes = ThreadChanges(chain)
        self._addresses = ProgramAddresses(chain.program_id)

    async def resolve(self, conflict: Conflict) -> tuple[Resolution, Sequence[str]]:
        """Project first; what differs even then, or whose log the chain does not have, is replaced."""
        thread_id, content_hash = conflict.thread_id, hash_of(conflict)
        if conflict.subject == protocol_rows.SUBJECT:
            return await self._protocol.resolve(conflict), ()
        if not thread_id:
            if content_hash is None or content_hash not in await self._index.kept_messages([content_hash]):
                return None, ()
            return (Settlement.FAILED, "A row of no thread: it is replaced with the thread that misses it."), ()
        if not is_hash(thread_id):
            return await self._remove(thread_id), ()
        before = await self._index.thread_sequence(thread_id)
        settled = await self._projector.settle(thread_id, min_slot=conflict.slot)
        if await self._agrees(thread_id, content_hash) and not await self._lost(thread_id):
            if settled.sequence == before:
                return None, ()
            action = f"The thread was projected from sequence {before} to {settled.sequence}."
            return (Settlement.RESOLVED, action), ()
        return await self._replace(thread_id, content_hash)

    async def _replace(self, thread_id: str, content_hash: str | None) -> tuple[Resolution, Sequence[str]]:
        for _ in range(_ATTEMPTS):
            known = await self._index.progress(thread_id)
            slot = await self._corrections.finalized_now()
            final = await read_owned(self._chain, thread_id, min_slot=slot, commitment=Commitment.FINALIZED)
            correction = await self._correction(thread_id, known, final)
            if correction is None:
                await self._projector.settle(thread_id)
                continue
            if correction.lost and correction.whole is not None:
                # What only the other branch holds has never been promoted; content comes first here as well.
                messages = correction.whole.messages
                since = [message.content_hash for message in messages if message.sequence > correction.keep]
                await self._projector.refresh(thread_id, since)
            try:
                lost = await self._corrections.rows(correction)
            except IndexDivergedError:
                continue  # the thread changed between two of its reads
            if lost is None:
                continue
            await self._projector.settle(thread_id)
            if not await self._agrees(thread_id, content_hash):
                return (Settlement.FAILED, "The rows were replaced and differ still."), lost
            action = f"All rows were replaced by a finalized read of slot {slot}"
            said = f"; events above sequence {correction.keep} were of a lost branch." if correction.lost else "."
            return (Settlement.RESOLVED, action + said), lost
        raise StaleReadError(f"Thread {thread_id} kept changing while it was corrected.")

    async def _correction(self, thread_id: str, known: ThreadProgress, final: Owned) -> ThreadCorrection | None:
        """What to write instead of what was `known` before `final` was finalized; None where projecting does."""
        if final.thread is None:
            return ThreadCorrection(thread_id, known.sequence, 0, True, None) if known.sequence else None
        up_to = min(known.sequence, final.thread.sequence)
        keep, signature = await self._shared(thread_id, up_to)
        lost = known.sequence > final.thread.sequence or keep < up_to
        since = ThreadProgress(keep, 0, 0, signature)
        whole = await self._changes.whole(thread_id, since, (), final.slot, Commitment.FINALIZED)
        if whole is None:
            return None
        now = await self._index.progress(thread_id)
        if now.sequence < whole.thread.sequence and not lost:
            return None  # behind: project first
        return ThreadCorrection(thread_id, now.sequence, min(keep, whole.thread.sequence), lost, whole)

    async def _shared(self, thread_id: str, up_to: int) -> tuple[int, str | None]:
        """Up to which sequence log and chain surely share their history, and the signature there where the log names
        one. Transactions that are not known prove something only above one that is: nodes forget what is oldest."""
        logged = await self._index.log_signatures(thread_id, up_to, _LOGGED)
        statuses = await self._chain.statuses([signature for _, signature, _ in logged])
        shared = up_to, logged[0][1] if logged else None
        doubtful = False
        for (sequence, signature, slot), status in zip(logged, statuses, strict=True):
            if status is None or status.slot != slot:
                doubtful = True
            elif doubtful:
                shared, doubtful = (sequence, signature), False
        if len(logged) and not any(statuses):
            return 0, None
        return shared

    async def _lost(self, thread_id: str) -> bool:
        """Whether a transaction in the log is not the chain's, or not in that slot."""
        sequence = await self._index.thread_sequence(thread_id)
        keep, _ = await self._shared(thread_id, sequence)
        return 0 < keep < sequence

    async def _agrees(self, thread_id: str, content_hash: str | None) -> bool:
        """Whether rows and tree, read back, are the chain's."""
        hashes = [] if content_hash is None else [content_hash]
        above = False
        for _ in range(_ATTEMPTS):
            kept = (await self._index.kept_threads([thread_id])).get(thread_id)
            rows = await self._index.kept_messages(hashes)
            owned = await read_owned(self._chain, thread_id, hashes)
            thread = owned.thread
            if thread is None or kept is None:
                return thread is None and kept is None and all(row.sequence == 0 for row in rows.values())
            if kept.sequence != thread.sequence:
                above = kept.sequence > thread.sequence
                await self._projector.settle(thread_id, min_slot=owned.slot)
                continue
            if thread_difference(thread, kept) is not None:
                return False
            if await self._index.recomputed_root(thread_id, thread.published_count) != thread.content_root:
                return False
            if await self._index.count_messages(thread_id, thread.sequence) != thread.message_count:
                return False
            return all(_is_row_of(owned, rows.get(key), key, thread_id) for key in hashes)
        if above:
            return False  # the replacement is made from a finalized read, which a node that is behind does not serve
        raise StaleReadError(f"Thread {thread_id} kept changing while its rows were compared.")

    async def _remove(self, thread_id: str) -> Resolution:
        """Rows of what cannot be a thread."""
        known = await self._index.progress(thread_id)
        await self._corrections.rows(ThreadCorrection(thread_id, known.sequence, 0, True, None))
        if await self._index.thread_sequence(thread_id):
            return Settlement.FAILED, "The rows of what is no thread are still there."
        return Settlement.RESOLVED, "The rows of what is no thread were removed."


def _is_row_of(owned: Owned, row: KeptMessage | None, content_hash: str, thread_id: str) -> bool:
    account = owned.messages.get(content_hash)
    if account is None or row is None:
        return account is None and (row is None or row.sequence == 0)
    return (row.thread_id, row.sequence) == (thread_id, account.sequence) and message_difference(account, row) is None
