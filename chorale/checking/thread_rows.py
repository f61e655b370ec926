"""Rows and trees of threads against their accounts, with every difference looked at again before it is a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chorale.checking.reading import Reading
from chorale.checking.rows import Difference, between_difference, thread_difference
from chorale.domain.accounts import ThreadAccount
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.kept import KeptThread

_SAMPLED_LEAVES = 4096  # trees above that are recomputed by a complete verification only


class ThreadRows:
    """Compares threads by id. `short` collects those whose messages are fewer in the index than on chain."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._index = reading.index

    async def check(
        self, thread_ids: Sequence[str], *, whole_trees: bool
    ) -> tuple[tuple[Conflict, ...], Mapping[str, ThreadAccount]]:
        """Conflicts among these threads, and the accounts of those that lack messages in the index."""
        slot, accounts = await self._reading.threads(thread_ids)
        sequences = {thread_id: account.sequence for thread_id, account in accounts.items()}
        arrived = await self._reading.arrived(sequences, slot)
        conflicts = [await self._behind(accounts[key], slot) for key in sequences if key not in arrived]
        doubts = await self._differing(
            [key for key in thread_ids if key in arrived or key not in accounts], Commitment.CONFIRMED, whole_trees
        )
        if doubts:
            again = await self._differing(list(doubts), Commitment.FINALIZED, whole_trees)
            conflicts += [self._wrong(key, *again[key], slot) for key in again]
        short = {
            thread_id: account
            for thread_id, account in accounts.items()
            if thread_id in arrived
            and await self._index.count_messages(thread_id, account.sequence) < account.message_count
        }
        return tuple(conflicts), short

    async def _differing(
        self, thread_ids: Sequence[str], commitment: Commitment, whole_trees: bool
    ) -> dict[str, tuple[Difference, int]]:
        """Differences, and the accounts' sequences, of threads that were read before their rows and, where the rows
        are of another sequence, once more after them. What cannot be told from such reads is left out."""
        final = commitment is Commitment.FINALIZED
        slot, earlier = await self._reading.threads(thread_ids, commitment)
        rows = await self._index.kept_threads(thread_ids)
        moved = [key for key in thread_ids if _sequence(earlier.get(key)) != _sequence(rows.get(key))]
        later: Mapping[str, ThreadAccount] = {}
        if moved:
            if final:
                slot = await self._reading.slot_behind(moved)
                await self._reading.finalized(slot)
            slot, later = await self._reading.threads(moved, commitment, slot)
        found: dict[str, tuple[Difference, int]] = {}
        for key in thread_ids:
            account = later.get(key) or earlier.get(key)
            difference = _difference(earlier.get(key), account, rows.get(key))
            if difference is None and key in earlier and key in rows:
                difference = await self._tree_difference(earlier[key], rows[key], whole_trees)
            if difference is not None:
                found[key] = difference, _sequence(account)
        return found

    async def _tree_difference(self, account: ThreadAccount, row: KeptThread, whole: bool) -> Difference | None:
        """The tree as it was at the account's sequence: nodes never change, so that later ones do no harm."""
        count = account.published_count
        if row.sequence < account.sequence or (count > _SAMPLED_LEAVES and not whole):
            return None
        root = await self._index.recomputed_root(account.thread_id, count)
        if root == account.content_root:
            return None
        return f"content_root {account.content_root}", f"content_root {root or 'of a broken tree'}"

    async def _behind(self, account: ThreadAccount, slot: int) -> Conflict:
        kept = await self._index.thread_sequence(account.thread_id)
        return Conflict(
            ConflictCause.INDEX_BEHIND,
            f"Thread:{account.thread_id}",
            account.thread_id,
            f"sequence {account.sequence}",
            f"sequence {kept}" if kept else "no row",
            slot,
            account.sequence,
        )

    def _wrong(self, thread_id: str, difference: Difference, sequence: int, slot: int) -> Conflict:
        return Conflict(ConflictCause.INDEX_WRONG, f"Thread:{thread_id}", thread_id, *difference, slot, sequence)


def _difference(
    earlier: ThreadAccount | None, later: ThreadAccount | None, row: KeptThread | None
) -> Difference | None:
    if row is None:
        return None  # whether the index lacks it was told by its sequence
    if later is None:
        return "no account", f"sequence {row.sequence}"
    if row.sequence > later.sequence:
        return f"sequence {later.sequence}", f"sequence {row.sequence}"
    for account in (earlier, later):
        if account is not None and account.sequence == row.sequence:
            return thread_difference(account, row)
    if earlier is not None and earlier.sequence < row.sequence:
        return between_difference(earlier, later, row)
    return None  # the rows are behind what has been read since: the next check tells


def _sequence(of: ThreadAccount | KeptThread | None) -> int:
    return 0 if of is None else of.sequence
