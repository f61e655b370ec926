"""How far the chain has been followed: the cursor stands behind the longest run of settled transactions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from chorale.domain.projection import ChainCursor

_REMEMBERED = 20_000
_MOST_OPEN = 20_000


@dataclass(slots=True)
class _Step:
    cursor: ChainCursor
    threads: set[str]


class ChainProgress:
    """Transactions in the order of the chain, each open until every thread that it touches is settled."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Step] = OrderedDict()
        self._closed: OrderedDict[str, int] = OrderedDict()  # with its slot
        self.cursor: ChainCursor | None = None

    def knows(self, signature: str, slot: int) -> bool:
        """Whether the transaction, as it landed at `slot`, is open or was settled lately. Of an earlier slot it was
        told before it was recorded: what it did there is not what it has done."""
        step = self._open.get(signature)
        return slot <= (step.cursor.slot if step is not None else self._closed.get(signature, -1))

    def begin(self, signature: str, slot: int, threads: Iterable[str]) -> None:
        """The chain's next transaction, and the threads that it touches; none: nothing to wait for.

        Where too many are open the next are not noted: then the cursor stays before them, and they are met again."""
        if not self.knows(signature, slot) and len(self._open) < _MOST_OPEN:
            self._open.pop(signature, None)
            self._open[signature] = _Step(ChainCursor(signature, slot), set(threads))
            self._pass()

    def cursor_after(self, thread_id: str, signatures: Collection[str]) -> ChainCursor | None:
        """Where the cursor stands once these transactions are settled for this thread; None where it does not move."""
        cursor = None
        for signature, step in self._open.items():
            if step.threads and not (signature in signatures and step.threads == {thread_id}):
                break
            cursor = step.cursor
        return cursor

    @property
    def oldest_open(self) -> int | None:
        """Slot of the first transaction that is not settled yet; None where all are."""
        return next((step.cursor.slot for step in self._open.values()), None)

    def settle_through(self, thread_id: str, slot: int) -> None:
        """Everything of this thread up to that slot is settled, since its account was read there."""
        for step in self._open.values():
            if step.cursor.slot <= slot:
                step.threads.discard(thread_id)
        self._pass()

    def forget(self, signatures: Collection[str]) -> None:
        """These transactions are not of the chain's history: met again, they are new."""
        for signature in signatures:
            self._open.pop(signature, None)
            self._closed.pop(signature, None)
        self._pass()

    def settle(self, thread_id: str, signatures: Iterable[str]) -> None:
        """These transactions are settled as far as this thread goes; unknown ones are ignored."""
        for signature in signatures:
            step = self._open.get(signature)
            if step is not None:
                step.threads.discard(thread_id)
        self._pass()

    def _pass(self) -> None:
        while self._open:
            signature, step = next(iter(self._open.items()))
            if step.threads:
                return
            del self._open[signature]
            self._closed[signature] = step.cursor.slot
            self.cursor = step.cursor
            if len(self._closed) > _REMEMBERED:
                self._closed.popitem(last=False)
