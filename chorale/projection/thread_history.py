"""The events of one thread between the index's sequence and the chain's, gathered from transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from chorale.domain.events import ProgramEvent, TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.projection import ThreadProgress

_PAGE = 1000
_BATCH = 100
_LAG = (0.05, 0.1, 0.2, 0.4, 0.8)  # s; a node may serve an account a little before its transaction


class ThreadHistory:
    """Starts from `records`, asks the chain only for what they do not cover."""

    def __init__(
        self, chain: Chain, address: str, known: ThreadProgress, records: Collection[TransactionRecord]
    ) -> None:
        self._chain = chain
        self._address = address
        self._known = known
        self._asked: set[str] = set()
        self._listed: set[str] = set()
        self._found: dict[int, tuple[TransactionRecord, list[ProgramEvent]]] = {}  # by sequence
        self._cut: set[int] = set()  # sequences whose log was cut, so that some of their events may be lost
        # Of two that claim a sequence the later one has made it: the other was told of and not recorded.
        for record in sorted(records, key=lambda record: record.slot):
            self._add(record)

    async def reach(self, sequence: int) -> bool:
        """Gather all events up to `sequence`, as far as the node still has them; False where it seems to lag.

        Nodes forget what is oldest. So where the newest is not listed, or one is listed and not served, it is not there
        yet.
        """
        for pause in (*_LAG, None):
            if self._complete(sequence) or (await self._page_back(sequence) and self._is_listed(sequence)):
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        return False

    def events(self) -> Iterator[tuple[ProgramEvent, TransactionRecord]]:
        """Events with their transactions, ascending by (sequence, ordinal)."""
        for sequence in sorted(self._found):
            record, events = self._found[sequence]
            for event in sorted(events, key=lambda event: event.ordinal):
                yield event, record

    @property
    def newest(self) -> int:
        """The last sequence that a known transaction made; the index's own where none is newer."""
        return max(self._found, default=self._known.sequence)

    def touched(self, sequence: int | None = None) -> dict[str, int]:
        """Content hashes named by events up to `sequence`, each with the sequence of its last one."""
        last: dict[str, int] = {}
        for event, _ in self.events():
            content_hash = event.fields.get("content_hash")
            if content_hash is not None and (sequence is None or event.sequence <= sequence):
                last[str(content_hash)] = event.sequence
        return last

    def holes(self, sequence: int) -> Sequence[int]:
        """The last sequence of every run whose events are gone, up to `sequence`; none in the usual case."""
        if self._complete(sequence) and not self._cut:
            return ()
        missing = [
            number
            for number in range(self._known.sequence + 1, sequence + 1)
            if number not in self._found or number in self._cut
        ]
        return [number for number, following in pairwise((*missing, 0)) if following != number + 1]

    def _complete(self, sequence: int) -> bool:
        wanted = sequence - self._known.sequence
        return len(self._found) >= wanted and sum(number <= sequence for number in self._found) == wanted

    def _is_listed(self, sequence: int) -> bool:
        return sequence in self._found and self._found[sequence][0].signature in self._listed

    async def _page_back(self, sequence: int) -> bool:
        """Ask for transactions, newest first, until nothing is missing; False where the node named one that it does
        not serve yet."""
        before, served = None, True
        while True:
            page = await self._chain.history(self._address, until=self._known.signature, before=before, limit=_PAGE)
            self._listed.update(entry.signature for entry in page)
            wanted = [entry.signature for entry in page if entry.succeeded and entry.signature not in self._asked]
            for at in range(0, len(wanted), _BATCH):
                signatures = wanted[at : at + _BATCH]
                for signature, record in zip(signatures, await self._chain.transactions(signatures), strict=True):
                    if record is None:
                        served = False
                    else:
                        self._asked.add(signature)
                        self._add(record)
                if self._complete(sequence):
                    return True
            if len(page) < _PAGE:
                return served
            before = page[-1].signature

    def _add(self, record: TransactionRecord) -> None:
        if not record.succeeded:
            return
        own = [event for event in record.events if event.thread == self._address]
        made: dict[int, list[ProgramEvent]] = {}
        for event in own:
            if event.sequence > self._known.sequence:
                made.setdefault(event.sequence, []).append(event)
        for sequence, events in made.items():
            if sequence in self._found and self._found[sequence][0].signature != record.signature:
                self._cut.discard(sequence)
            self._found[sequence] = (record, events)
        if record.logs_cut and own:
            self._cut.add(own[-1].sequence)
