"""The `stale` extension: an answer that was put together while Solana was away, or lived in the past, says so."""

from __future__ import annotations

import time
from typing import Any

from strawberry.extensions import SchemaExtension

from chorale.context import Context
from chorale.domain.availability import Health
from chorale.domain.updates import Authority


class StaleMark(SchemaExtension):
    """Adds `extensions.stale {authority, slot, ageSeconds}` to such an answer. `slot` is the lowest of the reads that
    came from memory, None where the node itself answered from its past; `ageSeconds` is the age of the oldest."""

    def get_results(self) -> dict[str, Any]:
        """Empty for an answer that is up to date."""
        context = self.execution_context.context
        if not isinstance(context, Context):
            return {}
        read = context.loaders.stale
        if read is not None:
            return _mark(read.authority, read.slot, read.read_at)
        solana = context.availability.health(Authority.SOLANA)
        return _mark(Authority.SOLANA, None, solana.since) if solana.health is Health.BEHIND else {}


def _mark(authority: Authority, slot: int | None, since: float) -> dict[str, Any]:
    age = round(max(0.0, time.time() - since), 3)
    return {"stale": {"authority": authority.value, "slot": slot, "ageSeconds": age}}
