"""Limits: every bound of the server, each with its number here. Of these the environment sets only what
`chorale.settings` names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    # Connections and documents
    http_body_bytes: int = 256 * 1024
    ws_message_bytes: int = 256 * 1024
    ws_operations_per_connection: int = 100
    ws_init_timeout: float = 10.0
    ws_ping_interval: float = 20.0
    ws_send_timeout: float = 10.0
    query_depth: int = 14
    query_aliases: int = 30
    query_tokens: int = 4_000
    query_cost: int = 10_000
    execution_timeout: float = 30.0

    # Pages and reads
    page_default: int = 20
    page_max: int = 100
    nodes_max: int = 100
    search_window: int = 200
    search_query_chars: int = 1_000
    viewer_threads: int = 4_096
    min_version_wait: float = 5.0
    stale_read_attempts: int = 3
    event_batch: int = 100

    # Updates, and what is staged for them
    confirm_timeout: float = 30.0
    settle_timeout: float = 15.0
    verify_attempts: int = 3
    staged_lease: int = 24 * 3600
    staged_grace: int = 600
    staged_per_author: int = 32
    idempotency_ttl: int = 24 * 3600
    idempotency_key_chars: int = 128

    # Sign-in
    challenge_ttl: int = 300
    session_ttl: int = 24 * 3600

    # The keeper
    keeper_interval: float = 60.0
    keeper_pause: float = 1.0
    keeper_tick: float = 1.0
    keeper_batch: int = 200
    keeper_in_flight: int = 8
    keeper_spread: float = 5.0
    keeper_first_pause: float = 10.0
    keeper_longest_pause: float = 6 * 3600.0
    keeper_claim_ttl: float = 600.0
    keeper_stop_timeout: float = 5.0
    keeper_replenish: int = 1_000_000_000

    # Measures and announcements
    measure_samples: int = 4_096
    announcement_log: int = 1_000
    announcement_queue: int = 256

    # Conflicts: their log, warnings a minute of one cause, and work on them
    conflict_log: int = 1_000
    conflict_warnings: int = 20
    reconcile_queue: int = 1_000
    reconcile_attempts: int = 3
    reconcile_at_once: int = 16

    # Verification
    verification_batch: int = 100
    verification_records: int = 200
    verification_interval: float = 30.0
    verification_sample: int = 50

    # What clients report of their screens
    ui_entities: int = 200
    ui_clients: int = 10_000
    ui_report_ttl: float = 300.0
    ui_patience: float = 10.0

    # The entity cache
    cache_entries: int = 50_000
    cache_ttl: float = 3600.0
    cache_keep: int = 24 * 3600
    cache_flight: float = 0.5
    cache_timeout: float = 1.0
    cache_silence: float = 3.0

    # The lease of the one who writes shared content
    lease_ttl: float = 10.0
    lease_patience: float = 2.0

    # Guards around the authorities
    authority_timeout: float = 5.0
    authority_long_timeout: float = 30.0
    authority_send_timeout: float = 2.0
    authority_attempts: int = 3
    authority_patience: float = 1.0
    authority_long_patience: float = 3.0
    authority_hedges: int = 16
    authority_side_by_side: int = 3
    authority_probe: float = 5.0
    authority_window: float = 6.0
    content_patience: float = 10.0
    breaker_failures: int = 5
    breaker_pause: float = 1.0
    chain_behind_slots: int = 150
    chain_stall: float = 10.0
