"""The one hand that makes anything derived older, or deletes it: each time it asks first whose chain the node serves.

The ports that resolvers hold cannot lower anything; what can is here alone, so that nobody forgets to ask. Between two
of the watcher's looks another cluster may have come to the same address, and its finalized reads are not ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from chorale.domain.content import ContentKey, Correction
from chorale.domain.ports import CorrectableContent, CorrectableIndex
from chorale.domain.projection import ThreadCorrection
from chorale.domain.treasury import ProtocolChange, ProtocolTransaction
from chorale.projection.finality import Finality


class Corrections:
    """Writes what finalized reads say, by compare-and-set. Raises ForeignChainError, having changed nothing, where the
    node serves another chain, and what the chain's reads raise."""

    def __init__(self, finality: Finality, index: CorrectableIndex, content: CorrectableContent) -> None:
        self._finality = finality
        self._index = index
        self._content = content

    async def finalized_now(self) -> int:
        """From which slot on to read what a correction is made of; see `Finality.now`."""
        return await self._finality.now()

    async def rows(self, correction: ThreadCorrection) -> Sequence[str] | None:
        """See `CorrectableIndex.correct`."""
        await self._finality.is_ours()
        return await self._index.correct(correction)

    async def parameters(self, change: ProtocolChange) -> None:
        """See `CorrectableIndex.forget_change`."""
        await self._finality.is_ours()
        await self._index.forget_change(change)

    async def transactions(self, lost: Sequence[ProtocolTransaction]) -> None:
        """See `CorrectableIndex.forget_transactions`."""
        await self._finality.is_ours()
        await self._index.forget_transactions(lost)

    async def points(self, corrections: Sequence[Correction]) -> None:
        """See `CorrectableContent.correct`."""
        await self._finality.is_ours()
        await self._content.correct(corrections)

    async def staged(self, keys: Sequence[ContentKey], now: int) -> None:
        """See `CorrectableContent.collect_staged`."""
        await self._finality.is_ours()
        await self._content.collect_staged(keys, now)
