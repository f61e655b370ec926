"""What changes while the keeper looks is found by its next look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from chorale.domain.chain import AccountsRead
from chorale.domain.ports import Chain
from chorale.keeping.duties import Duty
from chorale.keeping.survey import Surveyor
from programs import scans
from tests.keeper.field import Field


class Interrupted:
    """A chain on which something happens after the pending messages were read; what is asked for meanwhile waits."""

    def __init__(self, chain: Chain, happen: Callable[[], Awaitable[None]]) -> None:
        self._chain = chain
        self._happen = happen
        self._begun = False
        self._over = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def program_accounts(self, *, holding: Sequence[tuple[int, str]], part: tuple[int, int]) -> AccountsRead:
        """See Chain."""
        if self._begun:
            await self._over.wait()
        elif part == scans.PENDING_PART:
            self._begun = True
            read = await self._chain.program_accounts(holding=holding, part=part)
            await self._happen()
            self._over.set()
            return read
        return await self._chain.program_accounts(holding=holding, part=part)


async def test_what_is_decided_during_a_look_is_found_by_the_next(land: Field) -> None:
    """Ana has voted; Ben and Cleo vote and Dan, the last one missing, leaves, after the look has read the message."""
    ana, ben, cleo, dan, eva = [await land.actor() for _ in range(5)]
    thread_id = await land.thread(ana, ben, cleo, dan)
    content_hash = await land.submit(eva, thread_id)
    await ana.send(ana.vote(thread_id, content_hash, approve=True))

    async def decide() -> None:
        for voter in (ben, cleo):
            await voter.send(voter.vote(thread_id, content_hash, approve=True))
        await land.divest(dan, thread_id)

    surveyor = Surveyor(cast("Chain", Interrupted(land.chain, decide)), sweep_minimum=1, most=10)
    assert (await surveyor.look(lambda _: True)).found == ()
    found = (await surveyor.look(lambda _: True)).found
    assert [(each.duty, each.account) for each in found] == [(Duty.RESOLVE, land.address(thread_id, content_hash))]


class Lagging:
    """A chain behind whose address a second node answers for the messages, as they were."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.old: AccountsRead | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def program_accounts(self, *, holding: Sequence[tuple[int, str]], part: tuple[int, int]) -> AccountsRead:
        """See Chain."""
        if part == scans.PENDING_PART and self.old is not None:
            return self.old
        return await self._chain.program_accounts(holding=holding, part=part)


async def test_a_node_that_lags_hides_nothing_for_good(land: Field) -> None:
    """It shows the message before its last vote, the threads after a departure has decided it; then it catches up."""
    ana, ben, dan, eva = [await land.actor() for _ in range(4)]
    thread_id = await land.thread(ana, ben, dan)
    content_hash = await land.submit(eva, thread_id)
    lagging = Lagging(land.chain)
    lagging.old = await land.chain.program_accounts(
        holding=scans.with_status(scans.StatusByte.PENDING), part=scans.PENDING_PART
    )
    for voter in (ana, ben):
        await voter.send(voter.vote(thread_id, content_hash, approve=True))
    await land.divest(dan, thread_id)
    await land.running.rpc("chorale_advanceSlots", {"slots": 1})
    surveyor = Surveyor(cast("Chain", lagging), sweep_minimum=1, most=10)
    assert (await surveyor.look(lambda _: True)).found == ()
    lagging.old = None
    found = (await surveyor.look(lambda _: True)).found
    assert [(each.duty, each.account) for each in found] == [(Duty.RESOLVE, land.address(thread_id, content_hash))]
