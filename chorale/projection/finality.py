"""Waiting for the chain to finalize what has been seen: only then may anything derived get older."""

from __future__ import annotations

import asyncio

from chorale.domain.chain import Commitment
from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority

_PATIENCE = 40.0  # s; about 13 are usual
_PAUSE = 0.3  # s between looks


async def is_finalized(chain: Chain, slot: int, patience: float) -> bool:
    """Wait until the chain has finalized `slot`; False where that takes more than `patience` s. Raises what the chain's
    reads raise."""
    deadline = asyncio.get_running_loop().time() + patience
    while await chain.slot(Commitment.FINALIZED) < slot:
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(_PAUSE)
    return True


async def finalized_now(chain: Chain) -> int:
    """A slot that was confirmed when this was called and is finalized when it returns.

    Whatever was derived before the call is then either final or of a branch that the chain has left. Raises
    AuthorityUnavailableError where the chain does not finalize in time.
    """
    slot = await chain.slot(Commitment.CONFIRMED)
    if not await is_finalized(chain, slot, _PATIENCE):
        raise AuthorityUnavailableError(Authority.SOLANA, f"Slot {slot} was not finalized within {_PATIENCE:.0f} s.")
    return slot
