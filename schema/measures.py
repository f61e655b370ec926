"""The measures of the boundaries since this replica started."""

from __future__ import annotations

from typing import Self

import strawberry

from chorale.domain.measures import MeasuresNow
from chorale.domain.measures import Spread as Durations
from schema.enums import ConflictKind
from schema.scalars import U64

_MILLISECONDS = 1000


@strawberry.type(description="How long something takes.")
class Spread:
    """Percentiles are 0 where nothing was measured."""

    count: U64 = strawberry.field(description="How often it was measured.")
    p50_ms: float = strawberry.field(
        description="Milliseconds that half of the newest measurements (4,096 at most) took at most."
    )
    p99_ms: float = strawberry.field(description="Milliseconds that 99 of 100 of them took at most.")

    @classmethod
    def of(cls, measured: Durations) -> Self:
        """The same in milliseconds."""
        p50, p99 = round(measured.p50 * _MILLISECONDS, 3), round(measured.p99 * _MILLISECONDS, 3)
        return cls(count=U64(measured.count), p50_ms=p50, p99_ms=p99)


@strawberry.type(description="How many conflicts of a kind there were.")
class ConflictCount:
    """A conflict that is met again counts again."""

    kind: ConflictKind = strawberry.field(description="The kind.")
    total: U64 = strawberry.field(description="Since this replica started.")
    per_hour: float = strawberry.field(description="In the last hour.")


@strawberry.type(description="How often the cache had what was read.")
class CacheCount:
    """Counts entities, not requests."""

    entity: str = strawberry.field(description="What was read: `thread`, `message` or `user`.")
    hits: U64 = strawberry.field(description="Served from the cache.")
    misses: U64 = strawberry.field(description="Read from Solana.")


@strawberry.type(description="How many entries wait in a bounded queue.")
class QueueDepth:
    """As last reported."""

    queue: str = strawberry.field(description="The queue.")
    depth: int = strawberry.field(description="Entries that wait.")


@strawberry.type(description="What was measured at the boundaries since this replica started.")
class BoundaryMeasures:
    """The same numbers as Prometheus gets."""

    state_sync_delay: Spread = strawberry.field(description="From a change on chain until derived state had it.")
    propagation_time: Spread = strawberry.field(description="The third step of updates, PROPAGATE.")
    conflict_rate: float = strawberry.field(description="Conflicts of all kinds in the last hour.")
    conflicts: list[ConflictCount] = strawberry.field(description="Conflicts by kind.")
    recovery_success: float | None = strawberry.field(
        description="Part, 0 to 1, of the conflicts whose resolution was tried that were resolved; null before the "
        "first. What waits for a text counts in neither."
    )
    watcher_lag_slots: int = strawberry.field(description="Slots that derived state is behind the chain.")
    cache_hit_rate: float | None = strawberry.field(
        description="Part, 0 to 1, of the entities read that the cache had; null before the first."
    )
    cache: list[CacheCount] = strawberry.field(description="Reads of the cache by entity.")
    queue_depths: list[QueueDepth] = strawberry.field(description="The bounded queues.")

    @classmethod
    def of(cls, now: MeasuresNow) -> Self:
        """One moment of them."""
        hits, misses = sum(now.cache_hits.values()), sum(now.cache_misses.values())
        return cls(
            state_sync_delay=Spread.of(now.state_sync_delay),
            propagation_time=Spread.of(now.propagation_time),
            conflict_rate=sum(now.conflict_rate.values()),
            conflicts=[
                ConflictCount(kind=kind, total=U64(now.conflicts[kind]), per_hour=rate)
                for kind, rate in now.conflict_rate.items()
            ],
            recovery_success=now.recovery_success,
            watcher_lag_slots=now.watcher_lag_slots,
            cache_hit_rate=hits / (hits + misses) if hits + misses else None,
            cache=[
                CacheCount(
                    entity=entity,
                    hits=U64(now.cache_hits.get(entity, 0)),
                    misses=U64(now.cache_misses.get(entity, 0)),
                )
                for entity in sorted(now.cache_hits | now.cache_misses)
            ],
            queue_depths=[QueueDepth(queue=queue, depth=depth) for queue, depth in sorted(now.queue_depths.items())],
        )
