"""Whether the node still serves the chain that everything was derived from."""

from __future__ import annotations

import asyncio

from chorale.domain.errors import AuthorityUnavailableError
from chorale.domain.ports import Chain
from chorale.domain.updates import Authority

_SECOND_LOOK = 0.5  # s


class ChainReplacedError(Exception):
    """The node serves another chain."""

    def __init__(self, genesis_hash: str) -> None:
        super().__init__(f"The node serves another chain now, with genesis hash {genesis_hash}.")


class ForeignChainError(AuthorityUnavailableError):
    """The node has answered with another genesis hash, so that nothing that it says may make anything older. Whether
    it stays so, and the house has to be opened again, is for the watcher's next look to say."""

    def __init__(self, genesis_hash: str) -> None:
        super().__init__(
            Authority.SOLANA,
            f"The node serves another chain, with genesis hash {genesis_hash}: nothing is lowered or deleted by it.",
        )


async def check_chain(chain: Chain, genesis_hash: str) -> None:
    """Raises ChainReplacedError where the node says twice that its genesis hash is another, and the same."""
    found = await chain.genesis_hash()
    if found == genesis_hash:
        return
    await asyncio.sleep(_SECOND_LOOK)
    if await chain.genesis_hash() == found:
        raise ChainReplacedError(found)
