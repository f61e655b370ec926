"""Guards around the ports: a time for each call, retries of reads, a circuit for each part, and what they have seen."""

from datasources.guard.guards import Guards

__all__ = ["Guards"]
