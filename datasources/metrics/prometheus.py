"""The measures of one server as Prometheus metrics, in a registry of its own."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from chorale.domain.conflict import ConflictKind, Settlement
from chorale.domain.measures import MeasuresNow
from chorale.domain.updates import Outcome
from datasources.metrics.live import LiveGauge, Read
from datasources.metrics.windows import Durations, LastHour

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RECOVERED = (Settlement.RESOLVED, Settlement.CLIENT_TOLD)


class PrometheusMeasures:
    """Measures. `samples` durations are kept for percentiles; `now` is a clock in seconds that never runs back.

    All of it happens in the event loop, so that nothing here is locked.
    """

    def __init__(self, samples: int = 4_096, now: Callable[[], float] = time.monotonic) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # published without annotations
        self.registry = registry = CollectorRegistry()
        self._synced = Durations(samples)
        self._propagated = Durations(samples)
        self._hours = {kind: LastHour(now) for kind in ConflictKind}
        self._settled: Tally[tuple[ConflictKind, Settlement]] = Tally()
        self._lag = 0
        self._hits: Tally[str] = Tally()
        self._misses: Tally[str] = Tally()
        self._depths: dict[str, int] = {}
        self._sync_delay = Histogram(
            "chorale_state_sync_delay_seconds",
            "From a change on chain until derived state had it.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._propagation = Histogram(
            "chorale_propagation_time_seconds",
            "Duration of an update's third step, propagate.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._operation = Histogram(
            "chorale_graphql_operation_seconds",
            "Duration of queries and mutations.",
            ["type"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._conflicts = _counter(registry, "chorale_conflicts", "Conflicts met, by settlement.", "kind", "settlement")
        self._cache = _counter(registry, "chorale_cache_reads", "Reads of the entity cache.", "entity", "result")
        self._updates = _counter(registry, "chorale_updates", "Outcomes that updates have reached.", "outcome")
        self._operations = _counter(registry, "chorale_graphql_operations", "Operations ended.", "type", "result")
        self._lag_slots = Gauge(
            "chorale_watcher_lag_slots", "Slots that derived state is behind the chain.", registry=registry
        )
        self._queues = Gauge("chorale_queue_depth", "Entries that wait in a queue.", ["queue"], registry=registry)
        self._queue = cache(self._queues.labels)
        self._open = Gauge("chorale_open", "WebSocket connections and subscriptions.", ["what"], registry=registry)
        for kind in ConflictKind:
            for settlement in Settlement:
                self._conflicts.labels(kind.value, settlement.value)
        for outcome in tuple(Outcome)[1:]:  # all but RUNNING, which is none
            self._updates.labels(outcome.value)
        self.read("chorale_conflict_rate", "Conflicts in the last hour.", ("kind",), self._rates)
        self.read("chorale_recovery_success_ratio", "Part of conflicts that was resolved.", (), self._recovery_values)
        self.read("chorale_cache_hit_ratio", "Part of cache reads that were answered by it.", (), self._hit_ratio)
        ProcessCollector(registry=registry)

    def state_synced(self, seconds: float) -> None:
        """See Measures. A clock of the chain's that is ahead of this machine's counts as no delay."""
        self._synced.add(max(0.0, seconds))
        self._sync_delay.observe(max(0.0, seconds))

    def propagated(self, seconds: float) -> None:
        """See Measures."""
        self._propagated.add(seconds)
        self._propagation.observe(seconds)

    def conflicted(self, kind: ConflictKind, settlement: Settlement) -> None:
        """See Measures."""
        self._settled[kind, settlement] += 1
        self._hours[kind].add()
        self._conflicts.labels(kind.value, settlement.value).inc()

    def watcher_lag(self, slots: int) -> None:
        """See Measures."""
        self._lag = slots
        self._lag_slots.set(slots)

    def cache_read(self, entity: str, *, hits: int, misses: int) -> None:
        """See Measures."""
        self._hits[entity] += hits
        self._misses[entity] += misses
        self._cache.labels(entity, "hit").inc(hits)
        self._cache.labels(entity, "miss").inc(misses)

    def queue_depth(self, queue: str, depth: int) -> None:
        """See Measures."""
        self._depths[queue] = depth
        self._queue(queue).set(depth)

    def updated(self, outcome: Outcome) -> None:
        """See Measures."""
        self._updates.labels(outcome.value).inc()

    def operated(self, kind: str, result: str, seconds: float | None) -> None:
        """See Measures."""
        self._operations.labels(kind, result).inc()
        if seconds is not None:
            self._operation.labels(kind).observe(seconds)

    def opened(self, what: str, change: int) -> None:
        """See Measures."""
        self._open.labels(what).inc(change)

    def now(self) -> MeasuresNow:
        """See Measures."""
        return MeasuresNow(
            state_sync_delay=self._synced.spread(),
            propagation_time=self._propagated.spread(),
            conflict_rate={kind: float(hour.count) for kind, hour in self._hours.items()},
            conflicts={kind: sum(self._settled[kind, how] for how in Settlement) for kind in ConflictKind},
            recovery_success=self._recovery(),
            watcher_lag_slots=self._lag,
            cache_hits=dict(self._hits),
            cache_misses=dict(self._misses),
            queue_depths=dict(self._depths),
        )

    def read(self, name: str, meaning: str, labels: Sequence[str], read: Read) -> None:
        """Add a gauge that is read when it is asked for."""
        self.registry.register(LiveGauge(name, meaning, labels, read))

    def page(self) -> tuple[bytes, str]:
        """Everything in Prometheus' text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4

    def _rates(self) -> dict[tuple[str, ...], float]:
        return {(kind.value,): float(hour.count) for kind, hour in self._hours.items()}

    def _recovery(self) -> float | None:
        done = sum(self._settled[kind, how] for kind in ConflictKind for how in _RECOVERED)
        tried = done + sum(self._settled[kind, Settlement.FAILED] for kind in ConflictKind)
        return done / tried if tried else None

    def _recovery_values(self) -> dict[tuple[str, ...], float]:
        ratio = self._recovery()
        return {} if ratio is None else {(): ratio}

    def _hit_ratio(self) -> dict[tuple[str, ...], float]:
        hits, misses = self._hits.total(), self._misses.total()
        return {(): hits / (hits + misses)} if hits + misses else {}


def _counter(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=registry)
