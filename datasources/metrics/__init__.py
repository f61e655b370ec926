"""Measures as Prometheus metrics."""

from __future__ import annotations

from datasources.metrics.prometheus import PrometheusMeasures

__all__ = ["PrometheusMeasures"]
