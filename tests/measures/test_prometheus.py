"""What the spine reports is what operators read, in `now` and in the metrics; servers share none of it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from chorale.domain.conflict import ConflictKind, Settlement
from chorale.domain.updates import Outcome
from datasources.metrics import PrometheusMeasures

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(measures: PrometheusMeasures) -> Samples:
    """Every sample of the page, by name and values of labels in the order of their names."""
    page, content_type = measures.page()
    assert content_type.startswith("text/plain")
    families = text_string_to_metric_families(page.decode())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_conflicts_are_counted_rated_and_their_recovery_told() -> None:
    """Three of four tries succeed; what waits for bytes or was only reported is no try."""
    now = 0.0
    measures = PrometheusMeasures(now=lambda: now)
    assert measures.now().recovery_success is None
    assert ("chorale_recovery_success_ratio", ()) not in samples(measures)
    for kind, settlement in (
        (ConflictKind.OWNERSHIP, Settlement.RESOLVED),
        (ConflictKind.OWNERSHIP, Settlement.FAILED),
        (ConflictKind.UI, Settlement.CLIENT_TOLD),
        (ConflictKind.CACHE, Settlement.RESOLVED),
        (ConflictKind.CONTENT, Settlement.QUARANTINED),
        (ConflictKind.CONTENT, Settlement.AWAITING_CONTENT),
        (ConflictKind.CONTENT, Settlement.OPEN),
    ):
        measures.conflicted(kind, settlement)
    read, page = measures.now(), samples(measures)
    assert read.recovery_success == page["chorale_recovery_success_ratio", ()] == 0.75
    assert read.conflicts == {
        ConflictKind.OWNERSHIP: 2, ConflictKind.CONTENT: 3, ConflictKind.CACHE: 1, ConflictKind.UI: 1
    }  # fmt: skip
    assert page["chorale_conflicts_total", ("OWNERSHIP", "FAILED")] == 1
    assert page["chorale_conflicts_total", ("UI", "OPEN")] == 0
    now = 3_600.0
    assert measures.now().conflict_rate == dict.fromkeys(ConflictKind, 0.0)
    assert measures.now().conflicts[ConflictKind.CONTENT] == 3
    assert samples(measures)["chorale_conflict_rate", ("CONTENT",)] == 0


def test_durations_reach_histogram_and_spread() -> None:
    """A chain whose clock is ahead gives no negative delay."""
    measures = PrometheusMeasures()
    for seconds in (-2.0, 0.2, 0.4):
        measures.state_synced(seconds)
    measures.propagated(0.02)
    read, page = measures.now(), samples(measures)
    assert (read.state_sync_delay.count, read.state_sync_delay.p50, read.state_sync_delay.p99) == (3, 0.2, 0.4)
    assert page["chorale_state_sync_delay_seconds_count", ()] == 3
    assert page["chorale_state_sync_delay_seconds_bucket", ("0.25",)] == 2
    assert abs(page["chorale_state_sync_delay_seconds_sum", ()] - 0.6) < 1e-9
    assert read.propagation_time.count == page["chorale_propagation_time_seconds_count", ()] == 1


def test_cache_queues_lag_updates_and_operations() -> None:
    """Each ends up where it belongs, the ratio over all entities."""
    measures = PrometheusMeasures()
    measures.cache_read("thread", hits=3, misses=0)
    measures.cache_read("message", hits=0, misses=1)
    measures.queue_depth("inbox", 7)
    measures.queue_depth("inbox", 2)
    measures.watcher_lag(5)
    measures.updated(Outcome.CONFIRMED)
    measures.updated(Outcome.VERIFIED)
    measures.operated("query", "ok", 0.01)
    measures.operated("subscription", "errors", None)
    measures.opened("connection", 1)
    measures.opened("connection", 1)
    measures.opened("connection", -1)
    read, page = measures.now(), samples(measures)
    assert (read.cache_hits, read.cache_misses) == ({"thread": 3, "message": 0}, {"thread": 0, "message": 1})
    assert page["chorale_cache_hit_ratio", ()] == 0.75
    assert page["chorale_cache_reads_total", ("message", "miss")] == 1
    assert read.queue_depths == {"inbox": 2}
    assert page["chorale_queue_depth", ("inbox",)] == 2
    assert read.watcher_lag_slots == page["chorale_watcher_lag_slots", ()] == 5
    assert page["chorale_updates_total", ("VERIFIED",)] == 1
    assert page["chorale_graphql_operations_total", ("errors", "subscription")] == 1
    assert page["chorale_graphql_operation_seconds_count", ("query",)] == 1
    assert ("chorale_graphql_operation_seconds_count", ("subscription",)) not in page
    assert page["chorale_open", ("connection",)] == 1


def test_two_servers_in_one_process_share_nothing() -> None:
    """Neither a registry nor a count."""
    one, other = PrometheusMeasures(), PrometheusMeasures()
    one.watcher_lag(3)
    assert samples(one)["chorale_watcher_lag_slots", ()] == 3
    assert samples(other)["chorale_watcher_lag_slots", ()] == 0
