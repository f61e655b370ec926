"""Sessions, nonces and idempotency records: SQLite in one process, Redis between several."""
