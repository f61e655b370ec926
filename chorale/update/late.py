"""Updates that outlive their request: unknown in the end, begun before a restart, or sent past this server."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chorale.domain.chain import Commitment
from chorale.domain.errors import AuthorityUnavailableError, ChoraleError, StaleReadError
from chorale.domain.events import TransactionRecord
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority, Outcome, UpdateState
from chorale.update.log import Progress, UpdateFacts, UpdateLog, begun, landed, unseen
from programs.accounts import decode_thread

_log = logging.getLogger(__name__)

BLOCKHASH_LIFETIME = 150
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_WATCH = 10.0
_MOST = 1_000
_ADMINISTRATION = ("Configured", "TreasuryWithdrawn")

Finish = Callable[[UpdateFacts, Progress], Awaitable[None]]
"""Takes an update from confirmation to its end, once; leaves the outcome open where that is not possible yet."""


async def is_expired(chain: Chain, signature: str, receipt_height: int) -> bool:
    """Whether a transaction first seen at block height `receipt_height`, or before, surely did not land and cannot."""
    if await chain.block_height(Commitment.FINALIZED) <= receipt_height + BLOCKHASH_LIFETIME:
        return False
    return await chain.status(signature, search_history=True) is None


class LateUpdates:
    """One task per signature, until its outcome is final."""

    def __init__(self, chain: Chain, log: UpdateLog, finish: Finish) -> None:
        self._chain = chain
        self._log = log
        self._finish = finish
        self._open: dict[str, asyncio.Task[None]] = {}
        self._unseen: dict[str, asyncio.Task[None]] = {}
        self._followers: Counter[str] = Counter()

    def observe(self, facts: UpdateFacts, state: UpdateState) -> None:
        """Finish this update some time. One that came through this server is always taken on."""
        most = None if facts.own else _MOST
        _start(self._open, facts.signature, self._until_final(facts, Progress(self._log, state)), most)
        waiting = self._unseen.get(facts.signature)
        if waiting is not None and waiting is not asyncio.current_task():
            waiting.cancel()  # what it waits for is known better now

    async def find(self, signature: str) -> UpdateState | None:
        """An update that this server has not in memory: from its record, else from the chain. None where unknown."""
        kept = await self._log.kept(signature)
        if kept is not None:
            facts, state = kept
            if not state.outcome.is_final:
                self.observe(facts, state)
            return state
        return await self._past_this_server(signature)

    def await_unseen(self, signature: str) -> None:
        """Wait for a transaction that nobody has seen, until it lands or can no longer, or nobody follows it."""
        _start(self._unseen, signature, self._until_seen(signature), _MOST)

    @contextmanager
    def followed(self, signature: str) -> Iterator[None]:
        """Somebody follows inside the block; with the last of them ends the search for what nobody has seen."""
        self._followers[signature] += 1
        try:
            yield
        finally:
            self._followers[signature] -= 1
            if not self._followers[signature]:
                del self._followers[signature]
                if (waiting := self._unseen.get(signature)) is not None:
                    waiting.cancel()
                self._log.forget_unseen(signature)

    async def close(self) -> None:
        """Stop; what is open is found again by its record."""
        tasks = [*self._open.values(), *self._unseen.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_final(self, facts: UpdateFacts, progress: Progress) -> None:
        progress.publish()
        pause = _FIRST_PAUSE
        while True:
            try:
                if facts.receipt_height is None:
                    facts = replace(facts, receipt_height=await self._chain.block_height())
                    await self._log.keep(facts, progress.state)
                await self._finish(facts, progress)
            except (ChoraleError, TimeoutError) as error:
                _log.warning("Update %s is still open: %s", facts.signature, error)
            if progress.state.outcome.is_final:
                return
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _until_seen(self, signature: str) -> None:
        progress = Progress(self._log, unseen(signature))
        progress.publish()
        first_height: int | None = None
        while True:
            try:
                first_height = first_height or await self._chain.block_height()
                status = await self._chain.confirm(signature, _WATCH)
                current = self._log.current(signature)
                if current is not None and current.outcome is not Outcome.UNKNOWN:
                    return None  # it came through this server meanwhile, whose own sequence tells the rest
                record = None if status is None else await self._chain.transaction(signature)
                if record is not None:
                    found = await self._facts(record)
                    if isinstance(found, UpdateState):
                        return self._log.show(found)
                    return self.observe(found, progress.state)
                if status is None and await is_expired(self._chain, signature, first_height):
                    return progress.set(outcome=Outcome.EXPIRED)
            except ChoraleError as error:
                _log.warning("Transaction %s cannot be watched: %s", signature, error)
            await asyncio.sleep(_FIRST_PAUSE)

    async def _past_this_server(self, signature: str) -> UpdateState | None:
        if await self._chain.status(signature, search_history=True) is None:
            return None
        record = await self._chain.transaction(signature)
        if record is None or (record.succeeded and not record.events):
            return None
        found = await self._facts(record)
        if isinstance(found, UpdateState):
            return found
        state = replace(begun(signature), outcome=Outcome.CONFIRMED, slot=record.slot)
        self.observe(found, state)
        return state

    async def _facts(self, record: TransactionRecord) -> UpdateFacts | UpdateState:
        """What a landed transaction was about; where it failed or concerns no thread, its end at once."""
        if not record.succeeded:
            return landed(record, Outcome.REJECTED, "failed on chain")
        threads = [event.thread for event in record.events if event.name not in _ADMINISTRATION]
        if not threads and record.events:
            return UpdateFacts(record.signature, "", None, None, own=False)
        if not threads:
            return landed(record, Outcome.VERIFIED, "concerns neither a thread nor the protocol")
        read = await self._chain.accounts(threads[:1], min_context_slot=record.slot)
        account = read.accounts[0]
        if account is None or account.owner != self._chain.program_id:
            raise StaleReadError(f"The node does not show {threads[0]} yet.")
        thread_id = decode_thread(account.address, account.data).thread_id
        return UpdateFacts(record.signature, "", thread_id, _content_hash(record), own=False)


def _start(
    tasks: dict[str, asyncio.Task[None]], signature: str, work: Coroutine[Any, Any, None], most: int | None
) -> None:
    if signature in tasks:
        return work.close()
    if most is not None and len(tasks) >= most:
        work.close()
        raise AuthorityUnavailableError(Authority.BACKEND, "Too many updates are open. Try again shortly.")
    task = asyncio.create_task(work, name=f"late update {signature[:8]}")
    tasks[signature] = task
    task.add_done_callback(lambda _: tasks.pop(signature))
    return None


def _content_hash(record: TransactionRecord) -> str | None:
    hashes = [str(event.fields["content_hash"]) for event in record.events if "content_hash" in event.fields]
    return hashes[-1] if hashes else None
