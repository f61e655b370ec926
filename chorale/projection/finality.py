"""Finality: only what is finalized may make anything derived older, and only on the chain that it came from."""

from __future__ import annotations

import asyncio

from chorale.domain.chain import Commitment
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority
from chorale.projection.chain_identity import ForeignChainError

_PATIENCE = 40.0  # s; about 13 are usual
_PAUSE = 0.3  # s between looks


class Finality:
    """How far the chain `genesis_hash` has finalized: one look at a time, shared by all who wait for it. Raises what
    the chain's reads raise."""

    def __init__(self, chain: Chain, genesis_hash: str) -> None:
        self._chain = chain
        self._genesis_hash = genesis_hash
        self._look: asyncio.Task[int] | None = None

    async def reached(self, slot: int, patience: float) -> bool:
        """Wait until the chain has finalized `slot`; False where that takes more than `patience` s."""
        deadline = asyncio.get_running_loop().time() + patience
        pause = 0.0
        while await self._looked(pause) < slot:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            pause = _PAUSE
        return True

    async def now(self) -> int:
        """A slot that was confirmed when this was called and is finalized when it returns.

        Whatever was derived before the call is then either final or of a branch that the chain has left. Raises
        AuthorityUnavailableError where the chain does not finalize in time, ForeignChainError where it is another.
        """
        await self.is_ours()
        slot = await self._chain.slot(Commitment.CONFIRMED)
        if not await self.reached(slot, _PATIENCE):
            raise AuthorityUnavailableError(
                Authority.SOLANA, f"Slot {slot} was not finalized within {_PATIENCE:.0f} s."
            )
        return slot

    async def is_ours(self) -> None:
        """Raises ForeignChainError where the node serves another chain: what it says lowers nothing here."""
        found = await self._chain.genesis_hash()
        if found != self._genesis_hash:
            raise ForeignChainError(found)

    async def _looked(self, pause: float) -> int:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._after(pause), name="look at what is finalized")
            self._look.add_done_callback(lambda look: look.cancelled() or look.exception())  # all may have left by then
        return await asyncio.shield(self._look)

    async def _after(self, pause: float) -> int:
        if pause:
            await asyncio.sleep(pause)
        return await self._chain.slot(Commitment.FINALIZED)
