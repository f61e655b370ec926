"""Who has taken which piece of work: a record with a time to live in a store that keepers share.

It is written before anything is sent and names the transaction, so that whoever finds it can ask the chain what became
of that: another keeper, or this one after a crash.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from chorale.domain.ports import Chain, SessionStore
from chorale.update.late import is_expired


@dataclass(frozen=True, slots=True)
class Claim:
    """Whoever has signed the transaction `signature`; `height` is a block height at which it had its blockhash."""

    keeper: str
    signature: str
    height: int


class Claims:
    """Claims on the work of one deployment. `ttl` in s is longer than any transaction lives."""

    def __init__(self, store: SessionStore, chain: Chain, genesis_hash: str, ttl: float) -> None:
        self._store = store
        self._chain = chain
        self._prefix = f"keeper:{genesis_hash}:{chain.program_id}:"
        self._ttl = ttl

    async def take(self, key: str, claim: Claim) -> bool:
        """Claim a piece of work; False where somebody has it."""
        return await self._store.add(self._prefix + key, json.dumps(asdict(claim)).encode(), self._ttl)

    async def release(self, key: str) -> None:
        """Give back what surely did not happen."""
        await self._store.delete(self._prefix + key)

    async def is_free(self, key: str, slot: int) -> bool:
        """Whether nobody has this work in hand, which was due as of `slot`.

        A claim is dropped where its transaction failed, can land no more, or had landed before that: it is due anew.
        """
        kept = await self._store.get(self._prefix + key)
        if kept is None:
            return True
        claim = Claim(**json.loads(kept))
        status = await self._chain.status(claim.signature, search_history=True)
        if status is None:
            dropped = await is_expired(self._chain, claim.signature, claim.height)
        else:
            dropped = status.error is not None or status.slot < slot
        # Of several keepers that find it so one drops it: another's newer claim must not go with it.
        if not dropped or not await self._store.add(f"{self._prefix}dropped:{claim.signature}", b"", self._ttl):
            return False
        await self._store.delete(self._prefix + key)
        return True
