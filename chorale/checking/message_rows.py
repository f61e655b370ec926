"""Rows of messages against their accounts, with every difference looked at again before it is a conflict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chorale.checking.reading import Reading
from chorale.checking.rows import is_hash, message_difference
from chorale.domain.accounts import MessageAccount
from chorale.domain.chain import Commitment
from chorale.domain.conflict import Conflict, ConflictCause
from chorale.domain.kept import KeptMessage


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A message that differs. `sequence` is the account's as seen, 0 where it is absent or older than the row."""

    thread_id: str
    sequence: int
    slot: int


class MessageRows:
    """Compares rows by hash."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._index = reading.index

    async def check(self, content_hashes: Sequence[str]) -> tuple[Conflict, ...]:
        """Conflicts among the messages that the index lists under these hashes."""
        rows = await self._index.kept_messages(content_hashes)
        owners = {key: row.thread_id for key, row in rows.items() if is_hash(key) and is_hash(row.thread_id)}
        strange = await self._strange([content_hash for content_hash in content_hashes if content_hash not in owners])
        return (*strange, *await self._confirmed(await self._differing(owners, rows)))

    async def check_listed(self, thread_id: str, content_hashes: Sequence[str]) -> tuple[Conflict, ...]:
        """Conflicts among messages that the chain lists in a thread, whether the index has them or not."""
        owners = dict.fromkeys(content_hashes, thread_id)
        return await self._confirmed(await self._differing(owners, await self._index.kept_messages(content_hashes)))

    async def _differing(self, owners: Mapping[str, str], rows: Mapping[str, KeptMessage]) -> dict[str, _Doubt]:
        slot, accounts = await self._reading.messages(owners)
        return {
            content_hash: _Doubt(owner, _ahead(accounts.get(content_hash), rows.get(content_hash)), slot)
            for content_hash, owner in owners.items()
            if not _agree(owner, accounts.get(content_hash), rows.get(content_hash))
        }

    async def _confirmed(self, doubts: Mapping[str, _Doubt]) -> tuple[Conflict, ...]:
        """What still differs once the index had its time, compared with what the chain has finalized."""
        conflicts: list[Conflict] = []
        for _ in range(self._reading.limits.verify_attempts):
            if not doubts:
                break
            await self._follow(doubts)
            rows = await self._index.kept_messages(list(doubts))
            owners = {content_hash: doubt.thread_id for content_hash, doubt in doubts.items()}
            slot = await self._reading.slot_behind(set(owners.values()))
            await self._reading.finalized(slot)
            slot, accounts = await self._reading.messages(owners, Commitment.FINALIZED, slot)
            moved: dict[str, _Doubt] = {}
            for content_hash, doubt in doubts.items():
                account, row = accounts.get(content_hash), rows.get(content_hash)
                if _agree(doubt.thread_id, account, row):
                    continue
                if account is not None and _sequence(row) < account.sequence and account.sequence > doubt.sequence:
                    moved[content_hash] = _Doubt(doubt.thread_id, account.sequence, slot)  # it changed meanwhile
                else:
                    conflicts.append(_conflict(content_hash, doubt.thread_id, account, row, slot))
            doubts = moved
        return tuple(conflicts)

    async def _follow(self, doubts: Mapping[str, _Doubt]) -> None:
        wanted: dict[str, int] = {}
        for doubt in doubts.values():
            if doubt.sequence:
                wanted[doubt.thread_id] = max(doubt.sequence, wanted.get(doubt.thread_id, 0))
        if wanted:
            await self._reading.arrived(wanted, max(doubt.slot for doubt in doubts.values()))

    async def _strange(self, content_hashes: Sequence[str]) -> tuple[Conflict, ...]:
        """Rows that name no message or no thread; one that was removed since it was listed is none."""
        rows = await self._index.kept_messages(content_hashes) if content_hashes else {}
        slot = await self._reading.chain.slot() if rows else 0
        expected = "a message of a thread"
        return tuple(
            Conflict(ConflictCause.INDEX_WRONG, f"Message:{key}", row.thread_id, expected, "a row of none", slot)
            for key, row in rows.items()
            if not (is_hash(key) and is_hash(row.thread_id))
        )


def _agree(thread_id: str, account: MessageAccount | None, row: KeptMessage | None) -> bool:
    if account is None:
        return row is None or row.sequence == 0  # staged: nothing is on chain yet
    if row is None or row.sequence != account.sequence or row.thread_id != thread_id:
        return False
    return message_difference(account, row) is None


def _ahead(account: MessageAccount | None, row: KeptMessage | None) -> int:
    return account.sequence if account is not None and account.sequence > _sequence(row) else 0


def _sequence(row: KeptMessage | None) -> int:
    return 0 if row is None else row.sequence


def _conflict(
    content_hash: str,
    thread_id: str,
    account: MessageAccount | None,
    row: KeptMessage | None,
    slot: int,
) -> Conflict:
    cause, expected, found = ConflictCause.INDEX_WRONG, "no account", "no row"
    if row is not None:
        found = f"sequence {row.sequence}, {row.status}"
    if account is not None:
        expected = f"sequence {account.sequence}, {account.status.value}"
        if _sequence(row) < account.sequence:
            cause = ConflictCause.INDEX_BEHIND
        elif row is not None and row.sequence == account.sequence:
            expected, found = message_difference(account, row) or (thread_id, row.thread_id)
    sequence = 0 if account is None else account.sequence
    return Conflict(cause, f"Message:{content_hash}", thread_id, expected, found, slot, sequence)
