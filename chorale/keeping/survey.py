"""One look over the program's accounts: what seems due now, and when something will be. Slices only, and no index."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice

from chorale.domain.accounts import StatusByte, ThreadAccount
from chorale.domain.chain import AccountData, AccountsRead
from chorale.domain.ports import Chain
from chorale.keeping.duties import Candidate, Duty, may_be_decided, message_due, thread_due
from programs import scans
from programs.accounts import decode_message, decode_thread
from programs.scans import Filter, PendingHead, Slice, ThreadDues, escrow_in, pending_head, thread_dues

_REMEMBERED = 100_000
_THREADS_A_LOOK = 1_000  # read whole, to see whether something is to be resolved

Ready = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look found. `now` is the cluster's clock, `next_expiry` the end of the next window that is still open.

    `more` tells that the next look may find more at once.
    """

    now: int
    found: tuple[Candidate, ...]
    next_expiry: int | None
    pending: int
    more: bool


class Surveyor:
    """Looks over a deployment. Remembers at which sequence of a thread nothing was to be resolved in it."""

    def __init__(self, chain: Chain, *, sweep_minimum: int, most: int) -> None:
        self._chain = chain
        self._sweep_minimum = sweep_minimum
        self._most = most
        self._undecided: OrderedDict[str, int] = OrderedDict()

    async def look(self, ready: Ready) -> Survey:
        """What seems due and is `ready`, at most `most` of each duty, the longest due first."""
        now = await self._chain.unix_time()
        # Before their messages: what changes in between leaves a sequence behind that calls for another look.
        threads = await self._scan((scans.THREADS,), scans.DUES_PART)
        pending, expired, cancelled = await asyncio.gather(
            self._scan(scans.with_status(StatusByte.PENDING), scans.PENDING_PART),
            self._scan(scans.with_status(StatusByte.EXPIRED), scans.ESCROW_PART),
            self._scan(scans.with_status(StatusByte.CANCELLED), scans.ESCROW_PART),
        )
        heads = [pending_head(account.address, account.data) for account in _present(pending)]
        dues = [thread_dues(account.address, account.data) for account in _present(threads)]
        opened = [head for head in heads if now < head.expires_at]
        # Another node behind the same address may lag, and then show messages as they were before their threads.
        since = threads.slot if threads.slot <= pending.slot else None
        resolvable, more = await self._resolvable(opened, dues, now, since)
        found = [
            self._first(_overdue(heads, now), ready),
            self._first(resolvable, ready),
            self._first(_refundable((*_present(expired), *_present(cancelled))), ready),
            self._first(self._sweepable(dues), ready),
        ]
        return Survey(
            now,
            tuple(candidate for some in found for candidate in some),
            min((head.expires_at for head in heads if now < head.expires_at), default=None),
            len(heads),
            more or any(len(some) == self._most for some in found),
        )

    async def _resolvable(
        self, heads: Iterable[PendingHead], dues: Iterable[ThreadDues], now: int, since: int | None
    ) -> tuple[list[Candidate], bool]:
        waiting: dict[str, list[PendingHead]] = defaultdict(list)
        for head in heads:
            waiting[head.thread].append(head)
        changed = (
            (thread.address, thread.sequence)
            for thread in dues
            if thread.address in waiting and self._undecided.get(thread.address) != thread.sequence
        )
        scanned = dict(islice(changed, _THREADS_A_LOOK))
        resolvable: list[Candidate] = []
        if not scanned:
            return resolvable, False
        read = await self._chain.accounts(list(scanned))
        for account in _present(read):
            thread = decode_thread(account.address, account.data)
            decided = await self._decided(thread, waiting[thread.address], now)
            if decided:
                resolvable += decided
            elif since is not None and since <= read.slot:
                self._remember(thread.address, scanned[thread.address])
        return resolvable, len(scanned) == _THREADS_A_LOOK

    async def _decided(self, thread: ThreadAccount, heads: Iterable[PendingHead], now: int) -> list[Candidate]:
        complete = [head.address for head in heads if may_be_decided(head.votes, len(thread.co_authors))]
        if not complete:
            return []
        decided = []
        for account in (await self._chain.accounts(complete)).accounts:
            if account is not None:
                due = message_due(decode_message(account.address, account.data), thread, now)
                if due is not None and due.duty is Duty.RESOLVE:
                    decided.append(Candidate(due.duty, due.account, due.thread))
        return decided

    def _remember(self, address: str, sequence: int) -> None:
        self._undecided[address] = sequence
        self._undecided.move_to_end(address)
        if len(self._undecided) > _REMEMBERED:
            self._undecided.popitem(last=False)

    def _sweepable(self, dues: Iterable[ThreadDues]) -> Iterator[Candidate]:
        for thread in dues:
            if thread_due(thread.address, thread.treasury_due, self._sweep_minimum) is not None:
                yield Candidate(Duty.SWEEP, thread.address, thread.address)

    def _first(self, candidates: Iterable[Candidate], ready: Ready) -> Sequence[Candidate]:
        return nsmallest(self._most, filter(ready, candidates), key=lambda candidate: candidate.since)

    async def _scan(self, holding: Sequence[Filter], part: Slice) -> AccountsRead:
        return await self._chain.program_accounts(holding=holding, part=part)


def _present(read: AccountsRead) -> list[AccountData]:
    return [account for account in read.accounts if account is not None]


def _overdue(heads: Iterable[PendingHead], now: int) -> Iterator[Candidate]:
    for head in heads:
        if head.expires_at <= now:
            yield Candidate(Duty.EXPIRE, head.address, head.thread, head.expires_at)


def _refundable(finished: Iterable[AccountData]) -> Iterator[Candidate]:
    for account in finished:
        if escrow_in(account.address, account.data) > 0:
            yield Candidate(Duty.REFUND, account.address)
