"""All guards of one server, and the ports behind them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, cast

from chorale.domain.ports import Chain, CorrectableContent, CorrectableIndex, SessionStore
from chorale.domain.updates import Authority
from chorale.limits import Limits
from datasources.guard.acknowledged import Acknowledged
from datasources.guard.availability import Turned, Watch, WatchedAuthorities, probing
from datasources.guard.guard import Guard
from datasources.guard.heartbeat import Heartbeat
from datasources.guard.plausible import PlausibleChain, PlausibleSlots
from datasources.guard.ports import guarded_chain, guarded_content, guarded_index, guarded_sessions
from datasources.guard.slots import SlotWatch, slot_in


class Guards:
    """Puts a guard around each port that it is given. `turned` is told when an authority's health changes."""

    def __init__(self, limits: Limits, turned: Turned) -> None:
        self._limits = limits
        self._solana = Guard("Solana", Authority.SOLANA, limits)
        self._qdrant = Guard("Qdrant", Authority.QDRANT, limits)
        self._sessions = Guard("The session store", Authority.BACKEND, limits)
        self._index = Guard("The index", Authority.BACKEND, limits)
        self._watches: list[Watch] = []
        self.availability = WatchedAuthorities((self._solana, self._qdrant, self._sessions, self._index), turned)

    def chain(self, chain: Chain) -> Chain:
        """Solana; behind where its slots fall back, or stop, or it says so itself. A slot that cannot be is garbage."""
        guard, slots = self._solana, SlotWatch(self._limits.chain_stall, self._limits.chain_behind_slots)
        plausible = PlausibleSlots(chain.slot, self._limits.chain_behind_slots)

        async def probe() -> None:
            await plausible.renew()
            slot = await chain.slot()
            await plausible.check(slot)
            guard.set_behind(await chain.node_problem() or slots.problem(slot))

        def seen(_method: str, _arguments: tuple[Any, ...], result: Any) -> None:
            slot = slot_in(result)
            if slot is not None:
                slots.seen(slot)

        self._watches.append(Watch(guard, probe, self._limits.authority_patience))
        return guarded_chain(cast("Chain", PlausibleChain(chain, plausible)), guard, self._limits, seen)

    def content(self, content: CorrectableContent, *, remote: bool = False) -> CorrectableContent:
        """Qdrant, `remote` where a wire is between; behind where it misses most of what it has stored lately."""
        guard, acknowledged = self._qdrant, Acknowledged(self._limits.content_patience)

        async def probe() -> None:
            await content.ready()
            if acknowledged.keys:
                guard.set_behind(acknowledged.problem(await content.fetch(acknowledged.keys)))

        def seen(method: str, arguments: tuple[Any, ...], result: Any) -> None:
            if method == "stage":
                acknowledged.stored(result.key)
            elif method == "collect_staged":
                acknowledged.dropped(arguments[0])

        self._watches.append(Watch(guard, probe, self._limits.authority_patience if remote else None))
        return guarded_content(content, guard, self._limits, seen, remote=remote)

    def sessions(self, sessions: SessionStore, *, remote: bool = False) -> SessionStore:
        """The session store, `remote` where a wire is between; behind where it shows an earlier heartbeat than the
        last. One heartbeat at a time: two side by side would contradict each other."""
        guard, heartbeat = self._sessions, Heartbeat()

        async def probe() -> None:
            guard.set_behind(await heartbeat.beat(sessions))

        self._watches.append(Watch(guard, probe))
        return guarded_sessions(sessions, guard, self._limits, remote=remote)

    def index(self, index: CorrectableIndex) -> CorrectableIndex:
        """The index."""

        async def probe() -> None:
            await index.chain_cursor()

        self._watches.append(Watch(self._index, probe))
        return guarded_index(index, self._index)

    def probing(self) -> AbstractAsyncContextManager[None]:
        """Runs the probes of all that has been put behind a guard."""
        return probing(tuple(self._watches), self._limits)
